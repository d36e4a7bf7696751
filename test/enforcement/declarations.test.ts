// Start-up: what the builder refuses to build, and what it prints. Architecture s.6; security.md case 95.

import { expect, it } from 'vitest';
import { isAtLeast } from '../../src/graphql/access-plugin.ts';
import { createBuilder } from '../../src/graphql/builder.ts';
import { printSchemaWithAccess } from '../../src/graphql/schema-printing.ts';
import { authenticated, authenticatedAs, open, requires, requiresAnyOf } from '../../src/permissions/access.ts';
import { smallBuilder, smallSchema } from './given.ts';

it('case 95: a root field without access does not compile, and does not start', () => {
  const builder = createBuilder();
  // @ts-expect-error access is required on root fields
  builder.queryField('forgotten', (t) => t.string({ resolve: () => 'x' }));
  // @ts-expect-error access is required on root fields
  builder.queryField('list', (t) => t.connection({ type: 'String', resolve: () => null as never }));
  expect(() => builder.toSchema()).toThrow(/Query\.forgotten has no access\nQuery\.list has no access/);
});

it('case 95: mutations and subscriptions likewise', () => {
  const { builder } = smallBuilder();
  // @ts-expect-error access is required on root fields
  builder.mutationField('forgotten', (t) => t.string({ resolve: () => 'x' }));
  // @ts-expect-error access is required on root fields
  builder.subscriptionField('unheard', (t) => t.int({ subscribe: () => null as never, resolve: () => 1 }));
  expect(() => builder.toSchema()).toThrow(/Mutation\.forgotten has no access\nSubscription\.unheard has no access/);
});

it('case 94: a type that redeclares an interface’s field with less does not start', () => {
  for (const [weaker, starts] of [
    [undefined, false],
    [open, false],
    [requires('iam.group_read_own'), false],
    [requires('iam.group_read'), true],
    [requires('iam.group_read', 'iam.user_read'), true],
  ] as const) {
    const builder = createBuilder();
    const Named = builder.interfaceRef<object>('Named').implement({
      fields: (t) => ({ name: t.string({ access: requires('iam.group_read'), resolve: () => 'x' }) }),
    });
    const Thing = builder.objectRef<object>('Thing').implement({
      interfaces: [Named],
      fields: (t) => ({ name: t.string({ ...(weaker && { access: weaker }), resolve: () => 'x' }) }),
    });
    builder.queryField('thing', (t) => t.field({ type: Thing, access: open, resolve: () => ({}) }));
    if (starts) expect(() => builder.toSchema()).not.toThrow();
    else expect(() => builder.toSchema()).toThrow('Thing.name asks for less than Named.name');
  }
});

it('compares requirements as sets of sufficient scopes', () => {
  expect(isAtLeast(requires('iam.group_read'), requiresAnyOf('iam.group_read', 'iam.user_read'))).toBe(true);
  expect(isAtLeast(requiresAnyOf('iam.group_read', 'iam.user_read'), requires('iam.group_read'))).toBe(false);
  expect(isAtLeast(requires('iam.group_read'), requires('iam.group_read_own'))).toBe(true);
  expect(isAtLeast(requires('iam.group_read'), authenticated)).toBe(true);
  expect(isAtLeast(requires('iam.group_read'), authenticatedAs('customer'))).toBe(false);
  expect(isAtLeast(authenticated, authenticatedAs('customer'))).toBe(false);
  expect(isAtLeast(authenticatedAs('customer'), authenticated)).toBe(true);
});

it('prints what each field needs, as directive and in words, the same each time', () => {
  const text = printSchemaWithAccess(smallSchema().plain);
  expect(text).toContain('scopes: [String!]! @requiresScopes(scopes: [["iam.access_read"]])');
  expect(text).toContain('@requiresScopes(scopes: [["iam.group_read"], ["iam.group_read_own"]])');
  expect(text).toContain('me: String! @authenticated');
  expect(text).toContain('Needs `iam.access_read`.');
  expect(text).toContain('hello: String!\n');
  expect(text).toContain('directive @requiresScopes(');
  expect(text).toMatch(/type GroupConnection \{[^}]*edges: \[GroupConnectionEdge!\]!|type GroupConnection/);
  expect(printSchemaWithAccess(smallSchema().guarded)).toBe(text);
});

it('has plain ids: no node field, no Node interface', () => {
  const { plain } = smallSchema();
  expect(plain.getType('Node')).toBeUndefined();
  expect(plain.getQueryType()!.getFields()).not.toHaveProperty('node');
});
