// What people read: for each question a table of medians with min and max, and the ratios against their targets.

import { styleText } from 'node:util';

const thousands = (/** @type {number} */ value) => Math.round(value).toLocaleString('en').replaceAll(',', ' ');
/** A figure, with spaces between thousands; a dash where there is none. */
export const dash = (/** @type {number | null | undefined} */ value, digits = 0) =>
  value == null || Number.isNaN(value) ? '–' : digits === 0 ? thousands(value) : value.toFixed(digits);

const columns = /** @type {const} */ ([
  ['per second', 11, (side) => dash(side.perSecond)],
  ['MB', 8, (side) => dash(side.megabytes)],
  ['ms', 8, (side) => dash(side.milliseconds)],
  ['min – max', 21, (side) => `${dash(side.min)} – ${dash(side.max)}`],
  ['p50 ms', 8, (side) => dash(side.p50, 2)],
  ['p99 ms', 8, (side) => dash(side.p99, 2)],
  ['CPU µs', 8, (side) => dash(side.cpuMicroseconds, side.cpuMicroseconds < 10 ? 1 : 0)],
  ['statements', 11, (side) => dash(side.statements, 2)],
  ['DB µs', 9, (side) => dash(side.databaseMicroseconds)],
  ['pages', 8, (side) => dash(side.pages)],
  ['commits', 8, (side) => dash(side.commits, 2)],
]);

/** A ratio or a figure. @param {number | null} value */
export const ratio = (value) => (value === null ? '–' : value < 1_000 ? value.toFixed(2) : thousands(value));

/** @param {string} name @param {string} asks @param {Record<string, any>} sides @param {import('./judge.mjs').Verdict[]} verdicts */
export function printQuestion(name, asks, sides, verdicts) {
  const width = Math.max(...Object.keys(sides).map((side) => side.length)) + 2;
  console.log(`\n${styleText('bold', name)}  ${asks}`);
  // A column that nobody has a figure for is left out.
  const shown = columns.filter(([, , show]) => Object.values(sides).some((figures) => show(figures) !== '–'));
  console.log(''.padEnd(width) + shown.map(([title, size]) => title.padStart(size)).join(''));
  for (const [side, figures] of Object.entries(sides)) {
    const notes = [
      figures.failed > 0 &&
        styleText('red', `  ${figures.failed} failed: ${figures.failure.replaceAll('\r\n', ' | ')}`),
      figures.generatorBusy > 0.9 && '  (the generator is at its limit)',
    ].filter(Boolean);
    console.log(
      side.padEnd(width) + shown.map(([, size, show]) => show(figures).padStart(size)).join('') + notes.join(''),
    );
  }
  for (const { says, value, target, isMet } of verdicts) {
    const judged =
      isMet === null ? '' : `  target ${target}  ${isMet ? styleText('green', 'met') : styleText('red', 'missed')}`;
    console.log(`  ${says}: ${ratio(value)}${judged}`);
  }
}
