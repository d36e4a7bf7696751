// What a question is put together from: Scopeward, peers and floors, each behind one way to be measured.

import { join } from 'node:path';
import { cpuSeconds, startScript } from './process.mjs';
import { startScopeward } from './scopeward.mjs';

const bench = join(import.meta.dirname, '..');

/**
 * One measurement.
 * @typedef {object} Figures
 * @property {number} perSecond
 * @property {number | null} [p50] milliseconds
 * @property {number | null} [p99]
 * @property {number | null} [cpuMicroseconds] of the server's process, per request
 * @property {number | null} [statements] per request
 * @property {number | null} [commits] transactions that wrote, per request
 * @property {number} [failed]
 * @property {string} [failure] the first of them
 * @property {number} [generatorBusy] 1: the load generator itself is what limits
 */

/** One of the things compared. @typedef {{ measure(seconds: number): Promise<Figures> }} Side */

/**
 * @param {import('./cluster.mjs').Cluster} cluster
 * @param {{ name: string, totalSeconds: number, profile: ReturnType<typeof import('./profile.mjs').createProfile> | null }} run
 */
export function createLab(cluster, { name, totalSeconds, profile }) {
  /** @type {{ stop(): Promise<void> }[]} */
  const started = [];
  /** @type {{ pid: number }[]} */
  const services = [];
  const keep = (/** @type {any} */ child) => {
    started.push(child);
    return child;
  };
  const databaseOf = (/** @type {string} */ purpose) => `${purpose}_${name}`.replaceAll('-', '_');

  return {
    /** How long each side is under load, warm-up included: what has to be prepared for. */
    totalSeconds,

    /** The service, on its own copy of the seeded database. */
    async scopeward() {
      const databaseUrl = await cluster.createDatabase(databaseOf('scopeward'), 'seeded');
      const service = keep(await startScopeward(databaseUrl, { env: profile?.env, nodeFlags: profile?.flags }));
      services.push(service);
      return service;
    },

    /** A peer or a floor that listens. `database: true` gives it an empty database. */
    async server(/** @type {string} */ file, /** @type {Record<string, unknown>} */ setup = {}) {
      const databaseUrl = setup.database ? await cluster.createDatabase(databaseOf('peer')) : undefined;
      const env = { NODE_ENV: 'production' };
      const child = keep(await startScript(join(bench, file), { ...setup, databaseUrl }, env));
      return { ...child.ready, pid: child.pid, databaseUrl };
    },

    /**
     * A server under load.
     * @param {{ url: string, pid: number, databaseUrl?: string }} server
     * @param {Omit<import('./generator.mjs').Plan, 'url'>} plan
     * @returns {Promise<Side>}
     */
    async load(server, plan) {
      const generator = keep(await startScript(join(bench, 'kit/generator.mjs'), { ...plan, url: server.url }));
      return {
        async measure(seconds) {
          const { databaseUrl } = server;
          const before = { cpu: cpuSeconds(server.pid), ...(databaseUrl && (await cluster.activity(databaseUrl))) };
          const { answered, completed, failed, failure, generatorBusy, p50, p99 } = await generator.ask({ seconds });
          const after = { cpu: cpuSeconds(server.pid), ...(databaseUrl && (await cluster.activity(databaseUrl))) };
          const each = (/** @type {'cpu' | 'statements' | 'commits'} */ what) =>
            after[what] == null || before[what] == null ? null : (after[what] - before[what]) / Math.max(1, completed);
          const cpu = each('cpu');
          return {
            perSecond: answered / seconds,
            p50,
            p99,
            cpuMicroseconds: cpu === null ? null : cpu * 1_000_000,
            statements: each('statements'),
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
      for (const { pid } of profile ? services : []) await profile?.[what](pid);
    },

    /** Ends everything that was started. */
    async close() {
      for (const child of started.splice(0).reverse()) await child.stop();
    },
  };
}

/** @typedef {ReturnType<typeof createLab>} Lab */
