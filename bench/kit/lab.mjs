// What a question is put together from: Scopeward, peers and floors, each behind one way to be measured.

import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuSeconds, startScript } from './process.mjs';
import { startScopeward } from './scopeward.mjs';

const bench = join(import.meta.dirname, '..');
const IDLE_SECONDS = 2;

/**
 * One measurement.
 * @typedef {object} Figures
 * @property {number} [perSecond] or another of the first three is what is asked
 * @property {number | null} [megabytes]
 * @property {number} [milliseconds]
 * @property {number | null} [p50] milliseconds
 * @property {number | null} [p99]
 * @property {number | null} [cpuMicroseconds] of the server's process, per request
 * @property {number | null} [statements] per request
 * @property {number | null} [databaseMicroseconds] of executing them, per request
 * @property {number | null} [pages] of tables and indexes that they looked at, in memory or not, per request
 * @property {number | null} [commits] transactions that wrote, per request
 * @property {number | null} [enforcement] percent of a page's time, where it was profiled
 * @property {number} [failed]
 * @property {string} [failure] the first of them
 * @property {number} [generatorBusy] 1: the load generator itself is what limits
 */

/** One of the things compared. @typedef {{ measure(seconds: number): Promise<Figures> }} Side */
/** A server under load, with as many connections as its plan says or as are asked for. @typedef {{ measure(seconds: number, connections?: number): Promise<Figures> }} Load */

/**
 * @param {import('./cluster.mjs').Cluster} cluster
 * @param {{ name: string, totalSeconds: number, profile: ReturnType<typeof import('./profile.mjs').createProfile> | null }} run
 */
export function createLab(cluster, { name, totalSeconds, profile }) {
  /** @type {{ stop(): Promise<void> }[]} */
  const started = [];
  /** Those that are profiled. @type {{ pid: number }[]} */
  const services = [];
  const keep = (/** @type {any} */ child) => {
    started.push(child);
    return child;
  };
  const databaseOf = (/** @type {string} */ purpose) => `${purpose}_${name}`.replaceAll('-', '_');

  /** What an idle service asks its database per second: its polling, which is no request's. @param {string} url */
  async function idleStatements(url) {
    const before = await cluster.activity(url);
    await delay(IDLE_SECONDS * 1_000);
    const after = await cluster.activity(url);
    return ((after.statements ?? 0) - (before.statements ?? 0)) / IDLE_SECONDS;
  }

  return {
    /** How long each side is under load, warm-up included: what has to be prepared for. */
    totalSeconds,

    /** Is this run there for a profile? */
    isProfiling: profile !== null,

    /**
     * The service, on its own copy of the seeded database. A second one needs a name, and is not profiled.
     * @param {string} purpose @param {{ env?: Record<string, string>, flags?: string[] }} [options]
     */
    async scopeward(purpose = 'scopeward', options = {}) {
      const databaseUrl = await cluster.createDatabase(databaseOf(purpose), 'seeded');
      const profiled = purpose === 'scopeward' ? profile : null;
      const { env, flags: nodeFlags } = profiled ?? options;
      const service = keep(await startScopeward(databaseUrl, { env, nodeFlags }));
      if (profiled) services.push(service);
      return { ...service, idleStatements: await idleStatements(databaseUrl) };
    },

    /** A peer or a floor that listens. `database: true` gives it an empty database. */
    async server(/** @type {string} */ file, /** @type {Record<string, unknown>} */ setup = {}) {
      const databaseUrl = setup.database ? await cluster.createDatabase(databaseOf(basename(file, '.mjs'))) : undefined;
      const env = { NODE_ENV: 'production' };
      const child = keep(await startScript(join(bench, file), { ...setup, databaseUrl }, env));
      return { ...child.ready, pid: child.pid, databaseUrl };
    },

    /**
     * A server under load.
     * @param {{ url: string, pid: number, databaseUrl?: string, idleStatements?: number }} server
     * @param {Omit<import('./generator.mjs').Plan, 'url'>} plan
     * @returns {Promise<Load>}
     */
    async load(server, plan) {
      const generator = keep(await startScript(join(bench, 'kit/generator.mjs'), { ...plan, url: server.url }));
      return {
        async measure(seconds, connections) {
          const { databaseUrl, idleStatements = 0 } = server;
          const began = performance.now();
          const before = { cpu: cpuSeconds(server.pid), ...(databaseUrl && (await cluster.activity(databaseUrl))) };
          const { answered, completed, failed, failure, generatorBusy, p50, p99 } = await generator.ask({
            seconds,
            connections,
          });
          const after = { cpu: cpuSeconds(server.pid), ...(databaseUrl && (await cluster.activity(databaseUrl))) };
          const each = (/** @type {'cpu' | 'statements' | 'databaseMicroseconds' | 'pages' | 'commits'} */ what) =>
            after[what] == null || before[what] == null ? null : (after[what] - before[what]) / Math.max(1, completed);
          const cpu = each('cpu');
          const statements = each('statements');
          const polls = (idleStatements * (performance.now() - began)) / 1_000 / Math.max(1, completed);
          return {
            perSecond: answered / seconds,
            p50,
            p99,
            cpuMicroseconds: cpu === null ? null : cpu * 1_000_000,
            statements: statements === null ? null : Math.max(0, statements - polls),
            databaseMicroseconds: each('databaseMicroseconds'),
            pages: each('pages'),
            commits: each('commits'),
            failed,
            failure,
            generatorBusy,
          };
        },
      };
    },

    /**
     * An operation over and over in a process of its own, without HTTP.
     * @param {string} file @param {Record<string, unknown>} setup @param {Record<string, string>} [env]
     * @returns {Promise<Side>}
     */
    async work(file, setup = {}, env = {}) {
      const child = keep(await startScript(join(bench, file), setup, env));
      return { measure: (seconds) => child.ask({ seconds }) };
    },

    /** Begins or ends the profile of the service, where there is one. */
    profiling: async (/** @type {'begin' | 'end'} */ what) => {
      for (const { pid } of services) await profile?.[what](pid);
    },

    /** Ends everything that was started. */
    async close() {
      for (const child of started.splice(0).reverse()) await child.stop();
    },
  };
}

/** @typedef {ReturnType<typeof createLab>} Lab */
