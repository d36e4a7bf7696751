// Medians of several rounds, and what they say against the targets. Pure.

/**
 * A ratio (`to` given) or a figure, perhaps with a target.
 * @typedef {object} Target
 * @property {string} of a side
 * @property {string} [to] another side
 * @property {'perSecond' | 'megabytes' | 'milliseconds' | 'p99' | 'statements' | 'databaseMicroseconds' | 'pages' | 'commits' | 'enforcement'} [figure] default: perSecond
 * @property {number} [atLeast]
 * @property {number} [atMost]
 */

/**
 * @typedef {Pick<Target, 'of' | 'to'> & { figure: string, says: string, value: number | null, target: string | null, isMet: boolean | null }} Verdict
 */

/** @param {number[]} values */
const median = (values) => {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** @param {import('./lab.mjs').Figures[]} rounds */
export function summary(rounds) {
  const of = (/** @type {keyof import('./lab.mjs').Figures} */ figure) => {
    const values = rounds.map((round) => round[figure]).filter((value) => typeof value === 'number');
    return values.length > 0 ? median(/** @type {number[]} */ (values)) : null;
  };
  const asked = rounds.flatMap(
    ({ perSecond, megabytes, milliseconds }) => perSecond ?? megabytes ?? milliseconds ?? [],
  );
  return {
    perSecond: of('perSecond'),
    megabytes: of('megabytes'),
    milliseconds: of('milliseconds'),
    min: Math.min(...asked),
    max: Math.max(...asked),
    p50: of('p50'),
    p99: of('p99'),
    cpuMicroseconds: of('cpuMicroseconds'),
    statements: of('statements'),
    databaseMicroseconds: of('databaseMicroseconds'),
    pages: of('pages'),
    commits: of('commits'),
    enforcement: of('enforcement'),
    failed: rounds.reduce((sum, round) => sum + (round.failed ?? 0), 0),
    failure: rounds.find((round) => round.failure)?.failure ?? '',
    generatorBusy: of('generatorBusy'),
  };
}

/** @param {Record<string, ReturnType<typeof summary>>} sides @param {Target[]} targets @returns {Verdict[]} */
export const judge = (sides, targets) =>
  targets.map(({ of, to, figure = 'perSecond', atLeast, atMost }) => {
    const one = sides[of][figure];
    const other = to === undefined ? 1 : sides[to][figure];
    const value = one === null || !other ? null : one / other;
    // Counts hold a rest of what the service does for itself: the first decimal decides.
    const isMet =
      value === null || (atLeast === undefined && atMost === undefined)
        ? null
        : value >= (atLeast ?? Number.NEGATIVE_INFINITY) &&
          Number(value.toFixed(1)) <= (atMost ?? Number.POSITIVE_INFINITY);
    return {
      of,
      to,
      figure,
      says: `${of}${to === undefined ? '' : ` / ${to}`}${figure === 'perSecond' ? '' : `, ${figure}`}`,
      value,
      target: atLeast !== undefined ? `≥ ${atLeast}` : atMost !== undefined ? `≤ ${atMost}` : null,
      isMet,
    };
  });
