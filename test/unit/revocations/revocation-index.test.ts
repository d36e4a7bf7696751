// The index of revocations, which the service and those who verify by themselves both hold: what it refuses, and that
// it does not grow for ever.

import { expect, it } from 'vitest';
import { createRevocationIndex, RETENTION_MS } from '../../../src/modules/revocations/revocation-index.ts';
import { groupKey, sessionKey, tokenKey } from '../../../src/modules/revocations/revocation-key.ts';
import { LONGEST_ACCESS_TOKEN_SECONDS } from '../../../src/modules/tenants/token-life.ts';

const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const entry = (sequence: number, at: number, key = tokenKey(`t${sequence}`), tenantId = 'demo') => ({
  ...key,
  sequence,
  tenantId,
  at: new Date(at),
});

it('refuses what was issued before an entry, not what was issued after it, nor what another tenant names alike', () => {
  const index = createRevocationIndex();
  index.add([entry(7, START, sessionKey('s')), entry(9, START, groupKey('s'))]);
  expect([6, 7, 8].map((rev) => index.isRevoked('demo', [sessionKey('s')], rev))).toEqual([true, false, false]);
  expect(index.isRevoked('demo', [tokenKey('s')], 0)).toBe(false);
  expect(index.isRevoked('rival', [sessionKey('s')], 0)).toBe(false);
  expect(index.isRevoked('demo', [tokenKey('x'), groupKey('s')], 8)).toBe(true);
});

it('keeps an entry for as long as a token that it refuses can live, and for an hour more', () => {
  expect(RETENTION_MS).toBe((LONGEST_ACCESS_TOKEN_SECONDS + 3600) * 1000);
  const index = createRevocationIndex();
  index.add([entry(1, START, sessionKey('old')), entry(2, START + HOUR, sessionKey('young'))]);
  const held = () => ['old', 'young'].map((id) => index.isRevoked('demo', [sessionKey(id)], 0));
  index.prune(START + RETENTION_MS - 1);
  expect(held()).toEqual([true, true]);
  index.prune(START + RETENTION_MS + HOUR + 60_000);
  index.add([entry(3, START + RETENTION_MS + 2 * HOUR)]);
  index.prune(START + RETENTION_MS + 2 * HOUR);
  expect(held()[0]).toBe(false);
});

it('a key that is revoked again is as young as its last entry', () => {
  const index = createRevocationIndex();
  const again = sessionKey('again');
  index.add([entry(1, START, again), entry(2, START + HOUR), entry(3, START + 25 * HOUR, again)]);
  for (let hours = 26; hours < 50; hours += 1) {
    index.add([entry(hours, START + hours * HOUR)]);
    index.prune(START + hours * HOUR);
    expect(index.isRevoked('demo', [again], 2)).toBe(true);
  }
});

it('holds a day and a bit, however long it runs', () => {
  const index = createRevocationIndex();
  const MINUTE = 60_000;
  for (let minute = 0; minute < 10 * 24 * 60; minute += 1) {
    index.add([entry(minute + 1, START + minute * MINUTE)]);
    index.prune(START + minute * MINUTE);
  }
  expect(index.size()).toBeLessThanOrEqual(RETENTION_MS / MINUTE + 3);
  expect(index.size()).toBeGreaterThanOrEqual(RETENTION_MS / MINUTE);
});
