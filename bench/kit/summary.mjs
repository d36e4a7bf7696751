// The whole run as one table in Markdown: what each operation does beside its peers and its floors. Pure.

import { dash, ratio } from './table.mjs';

/** @typedef {{ sides: Record<string, any>, verdicts: import('./judge.mjs').Verdict[] }} Answered */
/** @typedef {import('./judge.mjs').Verdict} Verdict */

const HEAD = ['question', 'operation', 'Scopeward', 'p99 ms', 'peer', 'ratio', 'floor', 'ratio', 'targets'];

const isFloor = (/** @type {Verdict} */ { to }) => to?.startsWith('floor: ');

/** What a side is compared by. @param {any} side @param {string} figure */
const comparand = (side, figure) => (figure === 'p99' ? `p99 ${dash(side.p99, 2)} ms` : `${dash(side.perSecond)}/s`);

/** @param {Verdict | undefined} verdict @param {Answered['sides']} sides */
const compared = (verdict, sides) =>
  verdict?.to === undefined
    ? ['', '']
    : [`${verdict.to.replace('floor: ', '')}: ${comparand(sides[verdict.to], verdict.figure)}`, ratio(verdict.value)];

/** @param {Verdict} verdict */
function judged({ to, figure, value, target, isMet }) {
  const what = to === undefined && figure !== 'perSecond' ? `${figure} ${ratio(value)}, ` : '';
  return `${what}${target}: ${isMet === null ? 'unknown' : isMet ? 'met' : '**missed**'}`;
}

/** The lines of one operation: its peers and its floors side by side. @param {string} of @param {Answered} answered */
function linesOf(of, { sides, verdicts }) {
  const own = verdicts.filter((verdict) => verdict.of === of);
  const peers = own.filter((verdict) => verdict.to !== undefined && !isFloor(verdict));
  const floors = own.filter(isFloor);
  const figures = own.filter(({ to }) => to === undefined);
  return Array.from({ length: Math.max(peers.length, floors.length, 1) }, (_none, line) => {
    const beside = [peers[line], floors[line], ...(line === 0 ? figures : [])].filter(
      (verdict) => verdict !== undefined,
    );
    return [
      line === 0 ? of : '',
      line === 0 ? comparand(sides[of], 'perSecond') : '',
      line === 0 ? dash(sides[of].p99, 2) : '',
      ...compared(peers[line], sides),
      ...compared(floors[line], sides),
      beside
        .filter(({ target }) => target !== null)
        .map(judged)
        .join('; '),
    ];
  });
}

const row = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`;

/** @param {[string, Answered]} question */
const linesOfQuestion = ([name, answered]) =>
  [...new Set(answered.verdicts.map(({ of }) => of))]
    .flatMap((of) => linesOf(of, answered))
    .map((cells, line) => row([line === 0 ? name : '', ...cells]));

/** @param {Record<string, Answered>} questions */
export const summaryTable = (questions) =>
  [row(HEAD), row(HEAD.map(() => '---')), ...Object.entries(questions).flatMap(linesOfQuestion)].join('\n');
