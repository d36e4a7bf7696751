// The plot: throughput and p99 against concurrency, two charts of lines side by side, as SVG by hand. All axes are
// logarithmic. Pure. Readable on any page: it has a background of its own, dark where the reader's system is.

/** @typedef {{ name: string, points: { connections: number, perSecond: number, p99: number | null }[] }} Line */

const CHART = { width: 330, height: 250, left: 62, top: 78 };
const GAP = 72;
/** About as wide as one is in the legend. */
const CHARACTER = 6.6;
const WIDTH = CHART.left * 2 + CHART.width * 2 + GAP - 30;
const HEIGHT = CHART.top + CHART.height + 62;

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #3d444d }
  .title { font-size: 14px; font-weight: 600; fill: #1f2328 }
  .background { fill: #ffffff; stroke: #d1d9e0 }
  .grid { stroke: #d1d9e0; stroke-width: 1 }
  .line { fill: none; stroke-width: 2.5; stroke-linejoin: round }
  .c0 { color: #0969da } .c1 { color: #bc4c00 } .c2 { color: #1a7f37 } .c3 { color: #8250df }
  .line, .mark { stroke: currentColor } .mark { fill: currentColor }
  @media (prefers-color-scheme: dark) {
    text { fill: #b1bac4 } .title { fill: #f0f6fc }
    .background { fill: #0d1117; stroke: #3d444d } .grid { stroke: #2a313c }
    .c0 { color: #4493f8 } .c1 { color: #f0883e } .c2 { color: #3fb950 } .c3 { color: #ab7df8 }
  }`;

/** A shape for each line: colours alone are not for everybody. @type {((x: number, y: number) => string)[]} */
const marks = [
  (x, y) => `<circle class="mark" cx="${x}" cy="${y}" r="3.5"/>`,
  (x, y) => `<rect class="mark" x="${x - 3.5}" y="${y - 3.5}" width="7" height="7"/>`,
  (x, y) => `<path class="mark" d="M${x} ${y - 4.5}l4.5 8h-9z"/>`,
  (x, y) => `<path class="mark" d="M${x} ${y - 5}l5 5l-5 5l-5 -5z"/>`,
];

const round = (/** @type {number} */ value) => Math.round(value * 10) / 10;
const label = (/** @type {number} */ value) => String(value).replace(/\B(?=(\d{3})+$)/g, ' ');

/** 1, 2, 5, 10, 20 … from below the least to above the most. @param {number[]} values */
function ticksOf(values) {
  const steps = Array.from({ length: 30 }, (_none, index) => [1, 2, 5][index % 3] * 10 ** (Math.floor(index / 3) - 3));
  const from = steps.findLastIndex((step) => step <= Math.min(...values));
  const to = steps.findIndex((step) => step >= Math.max(...values));
  return steps.slice(from, to + 1).map((step) => Number(step.toPrecision(1)));
}

/** Where a value lies between the ends of an axis, 0 to 1. @param {number} value @param {number[]} ticks */
const share = (value, ticks) => Math.log(value / ticks[0]) / Math.log((ticks.at(-1) ?? 1) / ticks[0]);

/** @param {Line[]} lines @param {'perSecond' | 'p99'} figure @param {string} title @param {number} left */
function chart(lines, figure, title, left) {
  const { width, height, top } = CHART;
  const known = lines.map(({ points }) => points.filter((point) => (point[figure] ?? 0) > 0));
  const xTicks = [...new Set(known.flat().map(({ connections }) => connections))].sort((one, other) => one - other);
  const yTicks = ticksOf(known.flat().map((point) => /** @type {number} */ (point[figure])));
  const x = (/** @type {number} */ value) => round(left + width * share(value, xTicks));
  const y = (/** @type {number} */ value) => round(top + height * (1 - share(value, yTicks)));
  const drawn = known.map((points, index) => {
    const places = points.map((point) => [x(point.connections), y(/** @type {number} */ (point[figure]))]);
    return `<g class="c${index}"><polyline class="line" points="${places.join(' ')}"/>${places
      .map(([across, down]) => marks[index](across, down))
      .join('')}</g>`;
  });
  return [
    `<text class="title" x="${left}" y="${top - 14}">${title}</text>`,
    ...yTicks.map(
      (tick) =>
        `<path class="grid" d="M${left} ${y(tick)}h${width}"/><text x="${left - 8}" y="${y(tick) + 4}" text-anchor="end">${label(tick)}</text>`,
    ),
    ...xTicks.map(
      (tick) =>
        `<path class="grid" d="M${x(tick)} ${top}v${height}"/><text x="${x(tick)}" y="${top + height + 18}" text-anchor="middle">${tick}</text>`,
    ),
    `<text x="${left + width / 2}" y="${top + height + 40}" text-anchor="middle">connections, one request at a time on each</text>`,
    ...drawn,
  ].join('\n');
}

/** @param {Line[]} lines @returns {string} SVG */
export function plot(lines) {
  let nextAt = CHART.left;
  const legend = lines.map(({ name }, index) => {
    const x = nextAt;
    nextAt += 64 + name.length * CHARACTER;
    return `<g class="c${index}"><path class="line" d="M${x} 24h24"/>${marks[index](x + 12, 24)}</g><text x="${x + 32}" y="28">${name}</text>`;
  });
  const second = CHART.left + CHART.width + GAP;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="Throughput and p99 latency against the number of connections">
<style>${STYLE}
</style>
<rect class="background" x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="6"/>
${legend.join('\n')}
${chart(lines, 'perSecond', 'Requests per second', CHART.left)}
${chart(lines, 'p99', 'p99 latency, milliseconds', second)}
</svg>
`;
}
