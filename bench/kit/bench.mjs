// One run: a cluster, a seeded database, then question after question. Bounded in time, and nothing stays behind.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { endAll, limitTo, rethrow } from './cleanup.mjs';
import { startCluster } from './cluster.mjs';
import { judge, summary } from './judge.mjs';
import { createLab } from './lab.mjs';
import { createProfile } from './profile.mjs';
import { seed } from './scopeward.mjs';
import { summaryTable } from './summary.mjs';
import { printQuestion } from './table.mjs';

const bench = join(import.meta.dirname, '..');
// A whole run takes less than ten; on a machine that others load, too, it is not to be lost in the last of them.
const MOST_MINUTES = Number(process.env.BENCH_MINUTES ?? 12);

/** @typedef {{ warmUp: number, seconds: number, rounds: number }} Times */

const TIMES = { warmUp: 1.5, seconds: 1, rounds: 3 };
const QUICK = { warmUp: 0.5, seconds: 1, rounds: 1 };

/**
 * @typedef {object} Question
 * @property {string} asks
 * @property {(lab: import('./lab.mjs').Lab) => Promise<Record<string, import('./lab.mjs').Side>>} sides
 * @property {import('./judge.mjs').Target[]} targets
 * @property {(sides: Record<string, ReturnType<typeof import('./judge.mjs').summary>>) => string} [plot] as SVG
 * @property {Times} [times] where there are so many sides that each has to be shorter
 */

const all = readdirSync(join(bench, 'questions'))
  .map((file) => file.replace('.mjs', ''))
  .sort();

/**
 * @param {{ wanted: string[], quick: boolean, profile: boolean, side: string }} options
 * @returns {Promise<number>} exit code
 */
export async function run({ wanted, quick, profile, side }) {
  const unknown = wanted.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    console.error(`bench: no question ${unknown.join(', ')}. There are: ${all.join(', ')}.`);
    return 1;
  }
  const names = wanted.length > 0 ? wanted : all;
  const endLimit = limitTo(MOST_MINUTES);
  const began = performance.now();

  try {
    const cluster = await startCluster();
    await seed(await cluster.createDatabase('seeded'));
    const about = facts(cluster.version);
    console.log(
      `Scopeward ${about.commit}, Node ${about.node}, PostgreSQL ${about.postgresql} (fsync on), ${about.cores} × ${about.cpu}${quick ? '\n--quick: these figures only show that it works' : ''}`,
    );
    /** @type {Record<string, object>} */
    const results = {};
    let hasFailed = false;
    for (const name of names) {
      const answered = await answer(cluster, name, { quick, profile, side });
      results[name] = answered;
      hasFailed ||= Object.values(answered.sides).some(({ failed }) => failed > 0);
    }
    const isWhole = !quick && !side && names.length === all.length;
    const file = join(bench, isWhole ? 'results' : 'results.partial');
    const table = summaryTable(results);
    const minutes = Number(((performance.now() - began) / 60_000).toFixed(1));
    writeFileSync(`${file}.json`, `${JSON.stringify({ ...about, minutes, questions: results }, null, 2)}\n`);
    writeFileSync(`${file}.md`, `${table}\n`);
    console.log(`\n${table}\n\n${file}.json, ${file}.md, after ${minutes} minutes`);
    return hasFailed ? 1 : 0;
  } catch (error) {
    return await rethrow(error);
  } finally {
    endLimit();
    await endAll();
  }
}

/**
 * @param {import('./cluster.mjs').Cluster} cluster @param {string} name
 * @param {{ quick: boolean, profile: boolean, side: string }} options
 */
async function answer(cluster, name, options) {
  /** @type {{ question: Question }} */
  const { question } = await import(`../questions/${name}.mjs`);
  const times = options.quick ? QUICK : (question.times ?? TIMES);
  const { warmUp, seconds, rounds } = times;
  const profile = options.profile ? createProfile(name) : null;
  const lab = createLab(cluster, { name, totalSeconds: warmUp + seconds * rounds, profile });
  const prepared = Object.entries(await question.sides(lab));
  const sides = Object.fromEntries(prepared.filter(([side]) => side.includes(options.side)));
  if (warmUp > 0) for (const side of Object.values(sides)) await side.measure(warmUp);
  await lab.profiling('begin');
  /** @type {Record<string, import('./lab.mjs').Figures[]>} */
  const figures = Object.fromEntries(Object.keys(sides).map((side) => [side, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [side, { measure }] of Object.entries(sides)) figures[side].push(await measure(seconds));
  }
  await lab.profiling('end');
  await lab.close();
  const summaries = Object.fromEntries(Object.entries(figures).map(([side, measured]) => [side, summary(measured)]));
  const targets = question.targets.filter(({ of, to = of }) => sides[of] && sides[to]);
  const verdicts = judge(summaries, targets);
  printQuestion(name, question.asks, summaries, verdicts);
  if (question.plot && !options.side) {
    writeFileSync(join(bench, options.quick ? 'plot.partial.svg' : 'plot.svg'), question.plot(summaries));
  }
  profile?.print();
  return { times, sides: summaries, verdicts };
}

/** What the figures depend on. @param {string} postgresql */
function facts(postgresql) {
  const git = (/** @type {string[]} */ ...args) => {
    try {
      return execFileSync('git', args, { cwd: bench, encoding: 'utf8', stdio: 'pipe' }).trim();
    } catch {
      return 'unknown';
    }
  };
  const { dependencies } = JSON.parse(readFileSync(join(bench, 'package.json'), 'utf8'));
  const versionOf = (/** @type {string} */ name) =>
    JSON.parse(readFileSync(join(bench, 'node_modules', name, 'package.json'), 'utf8')).version;
  const isDirty = git('status', '--porcelain', '--', '../src', '../package-lock.json') !== '';
  return {
    measuredAt: new Date().toISOString(),
    commit: git('rev-parse', '--short', 'HEAD') + (isDirty ? ' with changes' : ''),
    node: process.versions.node,
    postgresql,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    versions: Object.fromEntries(Object.keys(dependencies).map((name) => [name, versionOf(name)])),
  };
}
