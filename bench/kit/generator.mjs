// The load: so many keep-alive connections, one request at a time on each, written by hand on node:net. Child process.
// A connection has its own rows, which fill the {{0}}, {{1}} of the request; `next` takes a row's first value anew
// from each answer, so that a connection goes on with the token it was just given.

import { createConnection } from 'node:net';
import { createHistogram, performance } from 'node:perf_hooks';
import { script } from './script.mjs';

/**
 * @typedef {object} Plan
 * @property {string} url where
 * @property {string} [method] POST, unless said
 * @property {string} path
 * @property {Record<string, string>} headers
 * @property {string[]} bodies taken in turn by each row
 * @property {string} expect what every good answer contains
 * @property {string[][]} [rows]
 * @property {boolean} [once] each row is good for one request
 * @property {string} [next] a regular expression; its first group replaces the row's first value
 * @property {number} [connections]
 * @property {number} [perSecond] all connections together; otherwise as fast as they are answered
 */

script(async (/** @type {Plan} */ plan) => {
  const { hostname, port } = new URL(plan.url);
  const { perSecond } = plan;
  const next = plan.next ? new RegExp(plan.next) : null;
  const head = [`${plan.method ?? 'POST'} ${plan.path} HTTP/1.1`, `Host: ${hostname}:${port}`];
  for (const header of Object.entries(plan.headers)) head.push(header.join(': '));
  const fill = (/** @type {string} */ text, /** @type {string[]} */ row) =>
    text.replace(/\{\{(\d)\}\}/g, (_all, column) => row[Number(column)] ?? '');
  const write = (/** @type {string} */ body, /** @type {string[]} */ row) => {
    const filled = fill(body, row);
    return `${fill(head.join('\r\n'), row)}\r\nContent-Length: ${Buffer.byteLength(filled)}\r\n\r\n${filled}`;
  };
  const rows = (plan.rows ?? []).map((values) => ({ values, uses: 0 }));
  // Rows of one connection, and how far it has come: kept from run to run with as many connections.
  /** @type {Map<number, { rows: typeof rows, at: number }[]>} */
  const lanesOf = new Map();
  function lanesFor(/** @type {number} */ connections) {
    const known = lanesOf.get(connections);
    if (known) return known;
    const lanes = Array.from({ length: connections }, (_none, lane) => ({
      rows: rows.filter((_row, index) => index % connections === lane),
      at: 0,
    }));
    lanesOf.set(connections, lanes);
    return lanes;
  }
  const constant = plan.rows ? null : write(plan.bodies[0] ?? '', []);

  /** @param {{ seconds: number, connections?: number }} run */
  async function run({ seconds, connections = plan.connections ?? 32 }) {
    const lanes = lanesFor(connections);
    const latencies = createHistogram();
    let answered = 0;
    let completed = 0;
    let failed = 0;
    let failure = '';
    const fail = (/** @type {string} */ why) => {
      failed += 1;
      failure ||= why.slice(0, 600);
    };
    const cpuBefore = process.cpuUsage();
    const began = performance.now();
    const until = began + seconds * 1_000;

    const drive = (/** @type {typeof lanes[number]} */ lane, /** @type {number} */ index) =>
      new Promise((resolve) => {
        const socket = createConnection({ host: hostname, port: Number(port), noDelay: true });
        socket.setEncoding('latin1');
        let text = '';
        let expected = -1;
        let bodyAt = 0;
        let isChunked = false;
        let sentAt = 0;
        let due = began + (perSecond ? (index * 1_000) / perSecond : 0);
        let row = lane.rows[0];

        const done = () => {
          socket.destroy();
          resolve(undefined);
        };
        const send = () => {
          if (performance.now() >= until) return done();
          if (plan.once && lane.at >= lane.rows.length) {
            fail('The prepared rows have run out.');
            return done();
          }
          row = lane.rows[lane.at % lane.rows.length];
          if (row) lane.at += 1;
          sentAt = performance.now();
          socket.write(constant ?? write(plan.bodies[row.uses % plan.bodies.length] ?? '', row.values), 'latin1');
        };
        const take = (/** @type {string} */ body) => {
          const now = performance.now();
          const isGood = text.startsWith('HTTP/1.1 2') && body.includes(plan.expect);
          completed += 1;
          if (now <= until) {
            if (isGood) {
              answered += 1;
              latencies.record(Math.max(1, Math.round((now - sentAt) * 1_000)));
            } else fail(text);
          }
          if (row && isGood) {
            row.uses += 1;
            const found = next?.exec(body)?.[1];
            if (found) row.values[0] = found;
          }
          text = '';
          expected = -1;
          if (!perSecond) return send();
          due += (connections * 1_000) / perSecond;
          setTimeout(send, Math.max(0, due - now));
        };
        socket.on('connect', () => setTimeout(send, Math.max(0, due - performance.now())));
        socket.on('data', (chunk) => {
          text += chunk;
          if (expected < 0) {
            const end = text.indexOf('\r\n\r\n');
            if (end < 0) return;
            const head = text.slice(0, end);
            const length = /\r\ncontent-length: *(\d+)/i.exec(head);
            isChunked = !length && /\r\ntransfer-encoding: *chunked/i.test(head);
            if (!length && !isChunked) {
              fail(`Neither Content-Length nor chunks: ${text}`);
              return done();
            }
            bodyAt = end + 4;
            expected = bodyAt + Number(length?.[1] ?? 0);
          }
          // Of chunks the last one is empty; sizes stay between the rest, which is only looked through.
          if (isChunked ? text.endsWith('\r\n0\r\n\r\n') : text.length >= expected) take(text.slice(bodyAt));
        });
        socket.on('error', (error) => {
          fail(String(error));
          done();
        });
        socket.on('end', () => {
          if (performance.now() < until) fail('The connection was closed.');
          done();
        });
      });

    await Promise.all(lanes.map(drive));
    const used = process.cpuUsage(cpuBefore);
    return {
      answered,
      // With those that were under way at the end: what the server's work divides by.
      completed,
      failed,
      failure,
      p50: latencies.percentile(50) / 1_000,
      p99: latencies.percentile(99) / 1_000,
      generatorBusy: (used.user + used.system) / 1_000_000 / seconds,
    };
  }
  return { answer: run };
});
