// The explanation itself, without a schema or a database: the fewest scopes, and what gives them.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PrincipalKind } from '../../../src/modules/principals/principal.ts';
import type { BuiltInScope } from '../../../src/modules/scopes/registry.ts';
import {
  type Access,
  authenticated,
  authenticatedAs,
  open,
  requires,
  requiresAnyOf,
} from '../../../src/permissions/access.ts';
import { explain, type Holder, minimalScopes } from '../../../src/permissions/explanation.ts';
import { decideAll } from '../../../src/permissions/operation-check.ts';

/** Two spellings of one scope are never both in the registry; custom ones may be. */
const catalogRead = 'catalog.catalog_read' as BuiltInScope;
const pool: BuiltInScope[] = [
  catalogRead,
  'catalog.catalog_view',
  'iam.user_read',
  'iam.user_read_own',
  'iam.group_read',
  'iam.group_read_own',
  'iam.access_read',
  'oauth.key_read',
];
const scope = fc.constantFrom(...pool);
const need: fc.Arbitrary<Access> = fc.oneof(
  fc.array(scope, { minLength: 1, maxLength: 3 }).map((scopes) => requires(...scopes)),
  fc.array(scope, { minLength: 1, maxLength: 4 }).map((scopes) => requiresAnyOf(...scopes)),
  fc.constantFrom(open, authenticated),
);
const kind = fc.constantFrom<PrincipalKind | null>('service', 'employee', 'anonymous', 'customer', null);

const holderOf = (scopes: readonly string[], rest: Partial<Holder> = {}): Holder => ({
  kind: 'service',
  mayHaveToken: true,
  scopes,
  sources: [],
  ...rest,
});
const explainOne = (access: Access, holder: Holder) =>
  explain(
    {
      requirements: [{ path: 'p', field: 'T.p', access }],
      needs: [access],
      faults: [],
      dependsOnVariables: false,
    },
    holder,
  ).fields[0]!;

describe('the minimal scopes', () => {
  const isAllowed = (needs: readonly Access[], scopes: readonly string[]) =>
    decideAll(needs, [], { kind: 'service', scopes }).allowed;

  it('suffice for the whole operation, and no longer without any one of them', () => {
    fc.assert(
      fc.property(fc.array(need, { maxLength: 8 }), kind, (needs, whose) => {
        const minimal = minimalScopes(needs, whose);
        expect(minimal).toEqual([...new Set(minimal)].sort());
        expect(isAllowed(needs, minimal)).toBe(true);
        for (const spare of minimal) {
          expect(
            isAllowed(
              needs,
              minimal.filter((other) => other !== spare),
            ),
          ).toBe(false);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('are as few as can be, where the alternatives are not too many to try', () => {
    const all = ['catalog.catalog_read', 'iam.user_read', 'iam.user_read_own', 'iam.group_read', 'iam.group_read_own'];
    const subsets = Array.from({ length: 2 ** all.length }, (_, bits) => all.filter((_scope, at) => bits & (1 << at)));
    const few = fc.constantFrom(...(all as BuiltInScope[]));
    const needs = fc.array(
      fc.array(few, { minLength: 1, maxLength: 2 }).map((scopes) => requiresAnyOf(...scopes)),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(needs, kind, (asked, whose) => {
        const fewest = Math.min(...subsets.filter((held) => isAllowed(asked, held)).map((held) => held.length));
        expect(minimalScopes(asked, whose)).toHaveLength(fewest);
      }),
      { numRuns: 2_000 },
    );
  });

  it('stay sufficient when there are too many alternatives to try them all', () => {
    const services = ['cart', 'order', 'price', 'quote', 'media', 'label', 'site', 'schema'];
    const needs = services.map(
      (service): Access => ({
        kind: 'scopes',
        scopes: [[`${service}.a_read`], [`${service}.a_read_own`], [`${service}.a_manage`]] as never,
      }),
    );
    const minimal = minimalScopes(needs, 'customer');
    expect(minimal).toHaveLength(services.length);
    expect(isAllowed(needs, minimal)).toBe(true);
  });

  it("of equally few are a customer's own ones, and for anybody else those declared first", () => {
    const either = requiresAnyOf('iam.user_read', 'iam.user_read_own');
    expect(minimalScopes([either], 'customer')).toEqual(['iam.user_read_own']);
    for (const whose of ['employee', 'service', 'anonymous', null] as const) {
      expect(minimalScopes([either], whose)).toEqual(['iam.user_read']);
    }
    expect(minimalScopes([either, requires('iam.user_read')], 'customer')).toEqual(['iam.user_read']);
    expect(minimalScopes([requiresAnyOf('iam.group_manage', 'iam.access_read')], 'employee')).toEqual([
      'iam.group_manage',
    ]);
  });

  it('count two spellings once, and leave out what no scope can meet', () => {
    expect(minimalScopes([requires(catalogRead), requires('catalog.catalog_view')], null)).toHaveLength(1);
    expect(minimalScopes([authenticatedAs('customer'), requires('iam.group_read')], 'employee')).toEqual([
      'iam.group_read',
    ]);
    expect(minimalScopes([open, authenticated, authenticatedAs('customer')], 'service')).toEqual([]);
  });
});

describe('what gives a scope', () => {
  const sources = [
    { source: 'two', scopes: ['iam.user_read', 'iam.group_read'] },
    { source: 'one', scopes: ['iam.user_read'] },
    { source: 'other', scopes: ['iam.user_read_own', 'oauth.key_read'] },
  ];
  const grants = (access: Access, scopes: readonly string[]) =>
    explainOne(access, holderOf(scopes, { sources })).grantedBy.map((grant) => `${grant.scope}: ${grant.source}`);

  it('is named for each scope that serves, as it is held; all of it, sorted', () => {
    const either = requiresAnyOf('iam.user_read_own', 'iam.user_read');
    expect(grants(either, ['iam.user_read', 'iam.user_read_own'])).toEqual([
      'iam.user_read: one',
      'iam.user_read: two',
      'iam.user_read_own: other',
    ]);
    expect(grants(requires('iam.user_read_own'), ['iam.user_read'])).toEqual([
      'iam.user_read: one',
      'iam.user_read: two',
    ]);
  });

  it('is not named for a scope that the token does not carry, nor where none is needed', () => {
    expect(grants(requires('iam.user_read'), ['iam.user_read_own'])).toEqual([]);
    expect(grants(requires('iam.user_read'), [])).toEqual([]);
    expect(grants(authenticated, ['iam.user_read'])).toEqual([]);
  });

  it('is the wider one where the token was asked for a narrower one than its holder has', () => {
    expect(grants(requires('iam.group_read_own'), ['iam.group_read_own'])).toEqual(['iam.group_read_own: two']);
    expect(grants(requires('iam.group_view' as never), ['iam.group_view'])).toEqual(['iam.group_view: two']);
  });
});

describe('the verdict', () => {
  it('is that of enforcement, for every need and every holder', () => {
    fc.assert(
      fc.property(fc.array(need, { maxLength: 5 }), fc.array(scope), (needs, scopes) => {
        const requirements = needs.map((access, at) => ({ path: `p${at}`, field: `T.p${at}`, access }));
        const operation = { requirements, needs, faults: [], dependsOnVariables: false };
        const { allowed, fields } = explain(operation, holderOf(scopes));
        const decision = decideAll(needs, [], { kind: 'service', scopes });
        expect(allowed).toBe(decision.allowed);
        expect(fields.every((field) => field.allowed)).toBe(allowed);
        expect([...new Set(fields.flatMap(({ missing }) => missing))].sort()).toEqual(
          decision.allowed ? [] : decision.missingScopes,
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it('is no for whoever has no token, whatever they would hold, but for what is open', () => {
    const nobody = holderOf(['iam.user_read'], { mayHaveToken: false });
    expect(
      [open, authenticated, requires('iam.user_read')].map((access) => explainOne(access, nobody).allowed),
    ).toEqual([true, false, false]);
  });

  it('goes by the kind of token where the field does', () => {
    const access = authenticatedAs('customer');
    expect(explainOne(access, holderOf([])).allowed).toBe(false);
    expect(explainOne(access, holderOf([], { kind: 'customer' }))).toEqual({
      path: 'p',
      field: 'T.p',
      needs: 'Needs an access token of a kind among: customer.',
      requires: [],
      allowed: true,
      missing: [],
      grantedBy: [],
    });
  });
});
