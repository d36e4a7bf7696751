// Pages by keyset, asked of the real database, since what is produced are conditions for it.

import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { keyset, literally, matching, momentOf, type PageWindow } from '../../../src/database/keyset.ts';
import { type Service, theService } from '../../kit/service.ts';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
}
type Direction = 'asc' | 'desc';

let at: Service;
let tenantId: string;
let rows: Row[];
/** Few names and few moments for many rows, so that ties decide nearly always. */
beforeAll(async () => {
  at = await theService();
  tenantId = `t-${randomUUID().slice(0, 12)}`;
  await at.app.modules.tenants.create({ id: tenantId, name: tenantId });
  rows = Array.from({ length: 180 }, (_, i) => ({
    id: `g${String((i * 77) % 180).padStart(3, '0')}`,
    name: `name ${i % 4}`,
    createdAt: new Date(Date.UTC(2026, 0, 1, 0, 0, 0, i % 3)),
  }));
  await groups().createMany({ data: rows.map((row) => ({ ...row, tenantId, userType: 'EMPLOYEE' as const })) });
});

const groups = () => at.app.modules.database.forTenant({ tenantId }).group;
const compare = (one: readonly string[], other: readonly string[]): number => {
  const place = one.findIndex((part, i) => part !== other[i]);
  return place === -1 ? 0 : one[place]! < other[place]! ? -1 : 1;
};

/** What a page is: sort everything, cut off what the cursors cut off, take from the near end. */
function naive(keyOf: (row: Row) => string[], { after, before, limit, inverted }: PageWindow, direction: Direction) {
  const sign = direction === 'asc' ? 1 : -1;
  const all = rows
    .toSorted((one, other) => sign * compare(keyOf(one), keyOf(other)))
    .filter((row) => !after || sign * compare(keyOf(row), after) > 0)
    .filter((row) => !before || sign * compare(keyOf(row), before) < 0);
  return (inverted ? all.reverse() : all).slice(0, limit).map(({ id }) => id);
}
const idsOf = (found: readonly { id: string }[]) => found.map(({ id }) => id);

const byName = (row: Row) => [row.name, row.id];
const byMoment = (row: Row) => [row.createdAt.toISOString(), row.id];
const sizes = fc.record({ limit: fc.integer({ min: 0, max: 201 }), inverted: fc.boolean() });
const directions = fc.constantFrom<Direction>('asc', 'desc');
/** Of a row, or of none: edited, or of a row that is gone. */
const nameKeys = () =>
  fc.option(
    fc.oneof(
      fc.constantFrom(...rows).map(byName),
      fc.tuple(fc.constantFrom('', 'name 1', 'name 2 and', 'zzz'), fc.constantFrom('', 'g', 'g0905', 'zzz')),
    ),
  );

describe('a page in the order of names', () => {
  it('is what sorting and filtering everything gives, for any cursors, size and direction', async () => {
    await fc.assert(
      fc.asyncProperty(nameKeys(), nameKeys(), sizes, directions, async (after, before, size, direction) => {
        const window = { after, before, ...size };
        const found = await groups().findMany(keyset(window, ['name', 'id'], direction));
        expect(idsOf(found)).toEqual(naive(byName, window, direction));
      }),
      { numRuns: 120 },
    );
  });

  it.each([
    ['asc', false],
    ['asc', true],
    ['desc', false],
    ['desc', true],
  ] as const)('walked %s, inverted: %s, shows every row once, in order', async (direction, inverted) => {
    const seen: Row[] = [];
    for (let edge: string[] | null = null; ; ) {
      const window = { after: inverted ? null : edge, before: inverted ? edge : null, limit: 17, inverted };
      const page: Row[] = await groups().findMany(keyset(window, ['name', 'id'], direction));
      seen.push(...page);
      if (page.length < 17) break;
      edge = byName(page.at(-1)!);
    }
    const all = { after: null, before: null, limit: 1000, inverted };
    expect(idsOf(seen)).toEqual(naive(byName, all, direction));
    expect(seen.length).toBe(rows.length);
  });

  it('is cut off on both sides at once', async () => {
    const window = { after: ['name 1', 'g090'], before: ['name 2', 'g010'], limit: 200, inverted: false };
    const found = await groups().findMany(keyset(window, ['name', 'id']));
    expect(found.length).toBeGreaterThan(20);
    expect(idsOf(found)).toEqual(naive(byName, window, 'asc'));
  });

  it('by a single column', async () => {
    const window = { after: ['g100'], before: ['g140'], limit: 10, inverted: true };
    const found = await groups().findMany(keyset(window, ['id']));
    expect(idsOf(found)).toEqual(naive(({ id }) => [id], window, 'asc'));
  });
});

describe('a page in the order of moments', () => {
  it('is what sorting and filtering everything gives, the cursor’s text read as a moment', async () => {
    const keys = fc.option(fc.constantFrom(...rows).map(byMoment));
    await fc.assert(
      fc.asyncProperty(keys, keys, sizes, directions, async (after, before, size, direction) => {
        const window = { after, before, ...size };
        const page = keyset(window, ['createdAt', 'id'], direction, ([when, id], name) => [momentOf(when!, name), id!]);
        expect(idsOf(await groups().findMany(page))).toEqual(naive(byMoment, window, direction));
      }),
      { numRuns: 60 },
    );
  });

  it('BAD_USER_INPUT naming the argument for what is no moment as we write them', () => {
    expect(momentOf('2026-01-01T00:00:00.001Z', 'after')).toEqual(new Date(Date.UTC(2026, 0, 1, 0, 0, 0, 1)));
    const others = ['', 'now', '2026-01-01', '2026-01-01T00:00:00Z', '2026-02-31T00:00:00.000Z', '1', 'g001'];
    for (const text of [...others, '1969-12-31T23:59:59.999Z']) {
      expect(() => momentOf(text, 'before'), text).toThrowError(
        expect.objectContaining({ code: 'BAD_USER_INPUT', details: { field: 'before' } }),
      );
    }
  });
});

describe('text to be found', () => {
  const texts = ['50 % off', '50 off', 'a_b', 'aXb', 'back\\slash', 'back\\%', "it's", 'Straße', 'MIXED case'];

  it('stands for itself, whatever signs of LIKE are in it, and in whatever case', async () => {
    const own = `t-${randomUUID().slice(0, 12)}`;
    await at.app.modules.tenants.create({ id: own, name: own });
    const { group } = at.app.modules.database.forTenant({ tenantId: own });
    await group.createMany({
      data: texts.map((name, i) => ({ tenantId: own, id: `x${i}`, name, userType: 'EMPLOYEE' as const })),
    });
    const find = async (text: string) =>
      (await group.findMany({ where: { OR: matching(text, ['name', 'id'] as const) }, orderBy: { id: 'asc' } })).map(
        ({ name }) => name,
      );
    for (const text of ['%', '_', '\\', '\\%', '% OFF', 'A_B', 'ß', "'", 'mixed CASE', 'x', '']) {
      const has = (value: string) => value.toLowerCase().includes(text.toLowerCase());
      expect([text, await find(text)]).toEqual([text, texts.filter((name, i) => has(name) || has(`x${i}`))]);
    }
  });

  it('is escaped sign by sign', () => {
    expect(literally('100%_\\ plain')).toBe('100\\%\\_\\\\ plain');
  });
});
