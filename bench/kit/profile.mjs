// Where Scopeward's time goes: begins and ends a profile in it, and sums up own and total time from the file.

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const bench = join(import.meta.dirname, '..');
const TOP = 30;

/** @typedef {{ id: number, callFrame: { functionName: string, url: string, lineNumber: number }, children?: number[] }} Node */

/** A profile of a server that is started with `flags` and `env`. @param {string} name */
export function createProfile(name) {
  const file = join(bench, 'profiles', `${name}.cpuprofile`);
  mkdirSync(join(bench, 'profiles'), { recursive: true });
  const read = () => sumsOf(JSON.parse(readFileSync(file, 'utf8')));
  return {
    flags: ['--import', pathToFileURL(join(import.meta.dirname, 'profiler.mjs')).href],
    env: { BENCH_PROFILE: file },
    begin(/** @type {number} */ pid) {
      rmSync(file, { force: true });
      process.kill(pid, 'SIGUSR2');
    },
    async end(/** @type {number} */ pid) {
      process.kill(pid, 'SIGUSR2');
      for (let waited = 0; waited < 10_000 && !existsSync(file); waited += 100) await delay(100);
      await delay(500);
    },
    print: () => print(read()),
    /** What enforcement takes of the time, in percent. */
    enforcement: () => enforcementOf(read()),
  };
}

/** Whose time is that of whoever calls them. */
const tools = new Set(['node', '(native)', 'graphql']);
/** What deciding who may costs, on both walls; not the check of the token before. */
const enforcement = ['scopeward permissions', 'graphql-shield', 'graphql-middleware'];

/** @param {string} url */
function placeOf(url) {
  const inPackage = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(.*)/.exec(url);
  if (inPackage) return { group: inPackage[1], file: `${inPackage[1]}/${inPackage[2]}` };
  const ours = /\/dist\/((?:modules\/)?[^/]+)(.*)/.exec(url);
  if (ours) return { group: `scopeward ${ours[1]}`, file: ours[1] + ours[2] };
  return { group: url.startsWith('node:') ? 'node' : '(native)', file: url };
}

/** @param {{ nodes: Node[], samples: number[], timeDeltas: number[] }} profile */
function sumsOf({ nodes, samples, timeDeltas }) {
  /** @type {Map<number, number>} */
  const ownTime = new Map();
  for (const [index, id] of samples.entries()) ownTime.set(id, (ownTime.get(id) ?? 0) + timeDeltas[index]);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const sums = { group: new Map(), caller: new Map(), own: new Map(), total: new Map() };
  const add = (/** @type {Map<string, number>} */ to, /** @type {string} */ key, /** @type {number} */ time) =>
    to.set(key, (to.get(key) ?? 0) + time);
  let busy = 0;

  /** @param {Node} node @param {Set<string>} above @param {string} [caller] @returns {number} time of it and all that it calls */
  function visit({ id, callFrame, children = [] }, above, caller) {
    const { functionName, url, lineNumber } = callFrame;
    if (functionName === '(idle)') return 0;
    const { group, file } = placeOf(url);
    const what = `${functionName || '(anonymous)'}  ${file}${url ? `:${lineNumber + 1}` : ''}`;
    const own = ownTime.get(id) ?? 0;
    busy += own;
    add(sums.own, what, own);
    const pack = functionName.startsWith('(') ? functionName : group;
    add(sums.group, pack, own);
    const isTool = functionName.startsWith('(') || tools.has(group);
    const answerable = isTool ? caller : group;
    add(sums.caller, answerable ?? pack, own);
    const isOutermost = !above.has(what);
    const inside = isOutermost ? new Set(above).add(what) : above;
    const total = children.reduce(
      (sum, child) => sum + visit(/** @type {Node} */ (byId.get(child)), inside, answerable),
      own,
    );
    if (isOutermost) add(sums.total, what, total);
    return total;
  }
  visit(nodes[0], new Set());
  return { ...sums, busy };
}

/** @typedef {ReturnType<typeof sumsOf>} Sums */

/** @param {Sums} sums */
const enforcementOf = ({ caller, busy }) =>
  (100 * enforcement.reduce((sum, name) => sum + (caller.get(name) ?? 0), 0)) / busy;

/** @param {Sums} sums */
function print(sums) {
  const percent = (/** @type {number} */ share) => share.toFixed(1).padStart(5);
  for (const [title, found] of /** @type {const} */ ([
    ['own time by package', sums.group],
    ['own time by package, with what node and graphql do for it', sums.caller],
    ['own time by function', sums.own],
    ['total time by function', sums.total],
  ])) {
    console.log(`\n  ${title}`);
    for (const [what, time] of [...found].sort((one, other) => other[1] - one[1]).slice(0, TOP)) {
      console.log(`  ${percent((100 * time) / sums.busy)} %  ${what}`);
    }
  }
  console.log(
    `\n  enforcement (${enforcement.join(', ')}, and what is done for them)\n  ${percent(enforcementOf(sums))} %`,
  );
}
