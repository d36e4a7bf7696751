import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { permissionsOf, resourcesOf, scopesOfRole } from '../../../src/modules/iam/actions.ts';
import type { ScopeEntry } from '../../../src/modules/scopes/custom-scopes.ts';
import { serviceOf } from '../../../src/modules/scopes/grammar.ts';
import { synonymsOf } from '../../../src/modules/scopes/matching.ts';
import { builtInScopes, isBuiltInScope, registry } from '../../../src/modules/scopes/registry.ts';

const entry = (id: string): ScopeEntry => ({ id, service: serviceOf(id), description: 'A test.', custom: true });
const builtIn = builtInScopes.map((id) => ({ ...entry(id), description: registry[id].description, custom: false }));
/** The two parts of one scope; empty when it has none. */
const partsOf = (id: string) => [resourcesOf([entry(id)]), permissionsOf([entry(id)])].flat().map((part) => part.id);

describe('taking a scope apart', () => {
  it('every built-in scope has one resource and one action, and together they are the scope again', () => {
    for (const scope of builtInScopes) {
      const [resource, action, ...more] = partsOf(scope);
      expect([scope, `${resource}_${action}`, more]).toEqual([scope, scope, []]);
      expect(scopesOfRole([action!], resource!, isBuiltInScope)).toEqual([scope]);
    }
  });

  it.each([
    ['iam.group_read', 'iam.group', 'read'],
    ['customer.customer_read_own', 'customer.customer', 'read_own'],
    ['availability.availability_view_by_vendor', 'availability.availability', 'view_by_vendor'],
    ['product.product_template_manage', 'product.product_template', 'manage'],
    ['product.product_read_unpublished', 'product.product', 'read_unpublished'],
    ['price.pricemodel_manage_admin', 'price.pricemodel', 'manage_admin'],
    ['price.price_own', 'price.price', 'own'],
    ['price.prod_price_calculate', 'price.prod_price', 'calculate'],
    ['order.order_readascustomer', 'order.order', 'readascustomer'],
    ['customer.assistedBuying_manage', 'customer.assistedBuying', 'manage'],
    ['payment-gateway.paymentmodes_read', 'payment-gateway.paymentmodes', 'read'],
    ['shop.some_thing_frobnicate', 'shop.some_thing', 'frobnicate'],
    ['shop.a.b_read', 'shop.a.b', 'read'],
  ])('%s is the resource %s and the action %s', (scope, resource, action) => {
    expect(partsOf(scope)).toEqual([resource, action]);
  });

  it('a scope without an action or without a name is about nothing that roles know', () => {
    for (const scope of ['shop.run', 'shop._read', 'shop.thing_', 'shop._', 'shop.__']) {
      expect([scope, ...partsOf(scope)]).toEqual([scope]);
    }
  });

  it('whatever a tenant defines: the parts together are the scope, or there are none', () => {
    const word = fc.constantFrom('read', 'view', 'own', 'manage', 'x', 'X1', 'a.b', '', 'read_own', 'create', '-');
    const name = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join('_'));
    fc.assert(
      fc.property(name, (text) => {
        const parts = partsOf(`shop.${text}`);
        if (parts.length > 0) expect(parts.join('_')).toBe(`shop.${text}`);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('permissions and resources of a tenant', () => {
  const permissions = permissionsOf(builtIn);
  const resources = resourcesOf(builtIn);

  it('are sorted, each there once, and say what they are', () => {
    for (const items of [permissions, resources]) {
      const ids = items.map(({ id }) => id);
      expect(ids).toEqual([...new Set(ids)].sort());
      for (const { description } of items) expect(description).toMatch(/ such as \S+_\S+\.| such as \S+_\S+ are/);
    }
    expect(permissions.every(({ id, action }) => id === action)).toBe(true);
    expect(resources.every(({ id, service, name }) => id === `${service}.${name}`)).toBe(true);
  });

  it('cover every scope: a role of all actions gives on all resources all scopes', () => {
    const actions = permissions.map(({ id }) => id);
    const given = resources.flatMap(({ id }) => scopesOfRole(actions, id, isBuiltInScope));
    expect([...new Set(given)].sort()).toEqual([...builtInScopes]);
  });

  it('take in what the tenant defined', () => {
    const with_ = [...builtIn, entry('shop.cart_frobnicate')];
    expect(permissionsOf(with_).length - permissions.length).toBe(1);
    expect(permissionsOf(with_).find(({ id }) => id === 'frobnicate')?.description).toContain('shop.cart_frobnicate');
    expect(resourcesOf(with_).filter(({ service }) => service === 'shop')).toMatchObject([
      { id: 'shop.cart', name: 'cart' },
    ]);
  });
});

describe('what a role gives on a resource', () => {
  it('read is view, whichever of the two the scope is spelt with, and once only', () => {
    for (const actions of [['read'], ['view'], ['read', 'view'], ['view', 'read']]) {
      expect(scopesOfRole(actions, 'catalog.catalog', isBuiltInScope)).toEqual(['catalog.catalog_view']);
      expect(scopesOfRole(actions, 'order.order', isBuiltInScope)).toEqual(['order.order_read']);
    }
    expect(scopesOfRole(['view_own'], 'customer.customer', isBuiltInScope)).toEqual(['customer.customer_read_own']);
  });

  it('_own gives the narrow scope only, and the wide action never the narrow one by itself', () => {
    expect(scopesOfRole(['read_own'], 'customer.customer', isBuiltInScope)).toEqual(['customer.customer_read_own']);
    expect(scopesOfRole(['read'], 'customer.customer', isBuiltInScope)).toEqual(['customer.customer_read']);
  });

  it('nothing for actions or resources that do not go together', () => {
    expect(scopesOfRole(['frobnicate'], 'order.order', isBuiltInScope)).toEqual([]);
    expect(scopesOfRole(['read'], 'order', isBuiltInScope)).toEqual([]);
    expect(scopesOfRole(['read', 'manage'], 'no.such', isBuiltInScope)).toEqual([]);
    expect(scopesOfRole([], 'order.order', isBuiltInScope)).toEqual([]);
  });

  it('of any actions on any resource: sorted scopes that there are, each by one of the actions or its other spelling', () => {
    const actions = permissionsOf(builtIn).map(({ id }) => id);
    const resources = resourcesOf(builtIn).map(({ id }) => id);
    fc.assert(
      fc.property(fc.subarray(actions), fc.constantFrom(...resources), (some, resource) => {
        const given = scopesOfRole(some, resource, isBuiltInScope);
        expect(given).toEqual([...new Set(given)].sort());
        const asked = some.map((action) => `${resource}_${action}`);
        for (const scope of given) {
          expect(isBuiltInScope(scope)).toBe(true);
          expect([scope, ...synonymsOf(scope)].some((spelling) => asked.includes(spelling))).toBe(true);
        }
        for (const scope of asked.filter(isBuiltInScope)) expect(given).toContain(scope);
      }),
      { numRuns: 1000 },
    );
  });
});
