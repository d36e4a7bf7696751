// The chain from a person through groups, access controls and templates to the scopes of a token, product.md section 4;
// and that nobody gives by it what they lack: security.md cases 98, 99 and 103, as far as groups go.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtInScopes } from '../../src/modules/scopes/registry.ts';
import { givenCompany, givenCustomer, givenEmployee } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import {
  everything,
  givenControl,
  givenGroup,
  givenTemplate,
  tokenWith,
  tryAddMember,
  tryCreateGroup,
  tryUpdateGroup,
} from '../kit/groups.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { claimsOf, employee, signIn } from '../kit/stories.ts';

let at: Service;
let bearer: string;
let order: { id: string };
let orderAndPrice: { id: string };
let forCustomers: { id: string };
let forEmployees: { id: string };
beforeAll(async () => {
  at = await theService();
  bearer = (await employee(at)).accessToken;
  order = await givenControl(at, { scopes: ['order.order_read'] });
  orderAndPrice = await givenControl(at, { scopes: ['price.price_read', 'order.order_read'] });
  forCustomers = await givenControl(at, { scopes: ['cart.cart_manage'], restrictedTo: 'CUSTOMER' });
  forEmployees = await givenControl(at, { scopes: ['product.product_read'], restrictedTo: 'EMPLOYEE' });
});

const ask = async (query: string, variables: object) =>
  only(await graphql(at, query, { bearer, variables: { ...variables } }));
const newControl = (input: object): Promise<{ id: string }> =>
  ask('mutation ($input: CreateAccessControlInput!) { createAccessControl(input: $input) { id } }', {
    input: { name: 'Test', ...input },
  });
const newGroup = async (input: object): Promise<string> =>
  only(await tryCreateGroup(at, bearer, { name: 'Test', userType: 'EMPLOYEE', ...input })).id;
const scopesOf = async (id: string): Promise<string[]> =>
  (await ask('query ($id: ID!) { group(id: $id) { scopes } }', { id })).scopes;
const join = async (groupId: string, userId: string, userType: 'EMPLOYEE' | 'CUSTOMER' = 'EMPLOYEE') =>
  only(await tryAddMember(at, bearer, { groupId, userId, userType }));
const newEmployee = () =>
  at.app.modules.employees.create(ctxOf('demo'), {
    email: `employee-${randomUUID()}@test.example`,
    firstName: 'Erin',
    lastName: 'Test',
    password: 'demo-password-1',
  });

describe('what a group gives is what the tokens of its members carry', () => {
  const chains: Record<string, () => Promise<readonly [input: object, scopes: string[]]>> = {
    'an access control': async () => [
      { accessControlIds: [orderAndPrice.id] },
      ['order.order_read', 'price.price_read'],
    ],
    'a template': async () => [
      { templateIds: [(await givenTemplate(at, [order.id, forEmployees.id])).id] },
      ['order.order_read', 'product.product_read'],
    ],
    'an access control and two templates that give the same': async () => [
      {
        accessControlIds: [order.id],
        templateIds: [
          (await givenTemplate(at, [order.id])).id,
          (await givenTemplate(at, [orderAndPrice.id, order.id])).id,
        ],
      },
      ['order.order_read', 'price.price_read'],
    ],
    'a role on a resource': async () => [
      { accessControlIds: [(await newControl({ roleId: 'viewer', resourceId: 'order.order' })).id] },
      ['order.order_read'],
    ],
    'another role on another resource, in a template': async () => {
      const control = await newControl({ roleId: 'manager', resourceId: 'price.price' });
      return [
        { templateIds: [(await givenTemplate(at, [control.id])).id] },
        ['price.price_manage', 'price.price_read'],
      ];
    },
    'a template with an access control for the other type of user, which gives nothing': async () => [
      { templateIds: [(await givenTemplate(at, [forCustomers.id, order.id])).id] },
      ['order.order_read'],
    ],
    'a scope of the tenant’s own': async () => {
      const id = `shop.thing_${randomUUID().slice(0, 8)}`;
      await ask('mutation ($i: CreateScopeInput!) { createScope(input: $i) { id } }', { i: { id, description: 'x' } });
      // The administrator holds it with the next token, and gives what is held only.
      bearer = (await employee(at)).accessToken;
      return [{ accessControlIds: [(await newControl({ scopes: [id] })).id] }, [id]];
    },
    'every scope': async () => [
      { accessControlIds: ['every-scope'] },
      at.app.modules.scopes.everyScope({ tenantId: 'demo' }),
    ],
    nothing: async () => [{}, []],
  };

  for (const [title, chain] of Object.entries(chains)) {
    it(`of employees: ${title}`, async () => {
      const [input, scopes] = await chain();
      const id = await newGroup(input);
      expect(await scopesOf(id)).toEqual(scopes);
      const person = await newEmployee();
      await join(id, person.id);
      const token = await employee(at, person.email);
      expect(token.scopes).toEqual(scopes);
      expect(claimsOf(token.accessToken)).toMatchObject({ scope: scopes.join(' '), groups: [id] });
    });
  }

  it('every scope means every one of the registry, too', async () => {
    expect(await scopesOf(await newGroup({ accessControlIds: ['every-scope'] }))).toEqual(
      expect.arrayContaining([...builtInScopes]),
    );
  });

  it('of employees in several groups: the union', async () => {
    const person = await newEmployee();
    const groups = [
      await newGroup({ accessControlIds: [order.id] }),
      await newGroup({ accessControlIds: [forEmployees.id] }),
    ];
    for (const group of groups) await join(group, person.id);
    const token = await employee(at, person.email);
    expect(token.scopes).toEqual(['order.order_read', 'product.product_read']);
    expect(claimsOf(token.accessToken).groups).toEqual([...groups].sort());
  });

  it('of customers: beside their own set, everywhere, without what is for employees', async () => {
    const company = await givenCompany(at);
    const customer = await givenCustomer(at, { [company.id]: null });
    const own = await signIn(at, customer.email);
    const ofContact = await signIn(at, customer.email, { legalEntityId: company.id });
    const templateIds = [(await givenTemplate(at, [forEmployees.id, forCustomers.id])).id];
    const id = await newGroup({ userType: 'CUSTOMER', accessControlIds: [order.id], templateIds });
    expect(await scopesOf(id)).toEqual(['cart.cart_manage', 'order.order_read']);
    await join(id, customer.id, 'CUSTOMER');
    const more = (scopes: string[]) => [...scopes, 'cart.cart_manage', 'order.order_read'].sort();
    expect((await signIn(at, customer.email)).scopes).toEqual(more(own.scopes));
    expect((await signIn(at, customer.email, { legalEntityId: company.id })).scopes).toEqual(more(ofContact.scopes));
  });

  it('of customers in a company’s group: with the token for that company only', async () => {
    const [company, other] = [await givenCompany(at), await givenCompany(at)];
    const customer = await givenCustomer(at, { [company.id]: null, [other.id]: null });
    const id = await newGroup({ userType: 'CUSTOMER', legalEntityId: company.id, accessControlIds: [order.id] });
    await join(id, customer.id, 'CUSTOMER');
    const tokenFor = async (legalEntityId: string | null) => {
      const { accessToken, scopes } = await signIn(at, customer.email, { legalEntityId });
      return [scopes.includes('order.order_read'), claimsOf(accessToken).groups?.includes(id) ?? false];
    };
    expect(await tokenFor(company.id)).toEqual([true, true]);
    expect(await tokenFor(other.id)).toEqual([false, false]);
    expect(await tokenFor(null)).toEqual([false, false]);
  });
});

describe('cases 98 and 99: nobody gives by groups what they lack', () => {
  const HELD = ['iam.group_manage', 'iam.assignment_manage', 'order.order_read', 'catalog.catalog_view'];
  let limited: string;
  beforeAll(async () => {
    limited = await tokenWith(at, ...HELD);
  });
  const missingOf = ({ code, errors }: Answer) => [code, errors[0]?.extensions.missingScopes];
  async function expectRefused(missing: string[], attempt: () => Promise<Answer>) {
    const before = await everything(at);
    expect(missingOf(await attempt())).toEqual(['FORBIDDEN', missing]);
    expect(await everything(at)).toEqual(before);
  }
  const create = (input: object) => tryCreateGroup(at, limited, { name: 'x', userType: 'EMPLOYEE', ...input });

  it('creating a group that gives more is FORBIDDEN, listing what is lacked, whichever way it would give it', async () => {
    const update = await givenControl(at, { scopes: ['order.order_update', 'order.order_read', 'cart.cart_manage'] });
    const lacked = ['cart.cart_manage', 'order.order_update'];
    await expectRefused(lacked, () => create({ accessControlIds: [order.id, update.id] }));
    const templateIds = [(await givenTemplate(at, [update.id])).id];
    await expectRefused(lacked, () => create({ templateIds }));
    await expectRefused(lacked, () => create({ userType: 'CUSTOMER', templateIds }));
    const role = await newControl({ roleId: 'manager', resourceId: 'price.price' });
    await expectRefused(['price.price_manage', 'price.price_read'], () => create({ accessControlIds: [role.id] }));
    const all = at.app.modules.scopes.everyScope({ tenantId: 'demo' });
    const held = [...HELD, 'catalog.catalog_read'];
    await expectRefused(
      all.filter((scope) => !held.includes(scope)),
      () => create({ accessControlIds: ['every-scope'] }),
    );
  });

  it('creating one of what is held is allowed, in either spelling; what would give nothing is not asked about', async () => {
    const read = await givenControl(at, { scopes: ['catalog.catalog_read'] });
    only(await create({ accessControlIds: [order.id, read.id] }));
    only(await create({ templateIds: [(await givenTemplate(at, [forCustomers.id])).id] }));
    const [wide, own] = ['customer.customer_read', 'customer.customer_read_own'];
    const [ofWide, ofOwn] = [await givenControl(at, { scopes: [wide] }), await givenControl(at, { scopes: [own] })];
    const attempt = async (held: string, control: { id: string }) => {
      const token = await tokenWith(at, 'iam.group_manage', held);
      const input = { name: 'x', userType: 'CUSTOMER', accessControlIds: [control.id] };
      return missingOf(await tryCreateGroup(at, token, input));
    };
    expect(await attempt(wide, ofOwn)).toEqual([undefined, undefined]);
    expect(await attempt(own, ofWide)).toEqual(['FORBIDDEN', [wide]]);
  });

  it('updating a group so that it gives more is FORBIDDEN, alone or among other changes', async () => {
    const { id } = await givenGroup(at, { controlIds: [order.id] });
    const template = await givenTemplate(at, [orderAndPrice.id]);
    for (const change of [
      { accessControlIds: [order.id, orderAndPrice.id] },
      { templateIds: [template.id] },
      { name: 'x', accessControlIds: [], templateIds: [template.id] },
    ])
      await expectRefused(['price.price_read'], () => tryUpdateGroup(at, limited, { id, ...change }));
  });

  it('taking away what one lacks is allowed, and so is adding what one holds beside it', async () => {
    const { id } = await givenGroup(at, { controlIds: [orderAndPrice.id] });
    only(await tryUpdateGroup(at, limited, { id, accessControlIds: [orderAndPrice.id, order.id] }));
    only(await tryUpdateGroup(at, limited, { id, accessControlIds: [order.id] }));
    expect(await scopesOf(id)).toEqual(['order.order_read']);
    await expectRefused(['price.price_read'], () =>
      tryUpdateGroup(at, limited, { id, accessControlIds: [orderAndPrice.id] }),
    );
  });

  it('renaming a group that gives more is FORBIDDEN; sending the name that it has is not renaming', async () => {
    const { id, name } = await givenGroup(at, { controlIds: [orderAndPrice.id] });
    await expectRefused(['price.price_read'], () => tryUpdateGroup(at, limited, { id, name: 'x' }));
    only(await tryUpdateGroup(at, limited, { id, name: ` ${name}` }));
    only(await tryUpdateGroup(at, limited, { id, name: 'x', accessControlIds: [order.id] }));
  });

  it('adding a member to a group that gives more is FORBIDDEN, oneself to the Administrators, too', async () => {
    const person = await givenEmployee(at, HELD);
    limited = (await employee(at, person.email)).accessToken;
    const all = at.app.modules.scopes.everyScope({ tenantId: 'demo' });
    const { id: groupId } = await givenGroup(at, { controlIds: [orderAndPrice.id] });
    await expectRefused(['price.price_read'], () => tryAddMember(at, limited, { groupId, userId: person.id }));
    const db = at.app.modules.database.forTenant({ tenantId: 'demo' });
    const administrators = await db.group.findFirstOrThrow({ where: { name: 'Administrators' } });
    await expectRefused(
      all.filter((scope) => ![...HELD, 'catalog.catalog_read'].includes(scope)),
      () => tryAddMember(at, limited, { groupId: administrators.id, userId: person.id }),
    );
  });

  it('adding a member to a group of what is held is allowed', async () => {
    const colleague = await newEmployee();
    const { id: groupId } = await givenGroup(at, { controlIds: [order.id] });
    only(await tryAddMember(at, limited, { groupId, userId: colleague.id }));
    expect((await employee(at, colleague.email)).scopes).toEqual(['order.order_read']);
  });

  it('case 103: a list whose second item gives what one lacks is refused as a whole', async () => {
    const { id } = await givenGroup(at, { controlIds: [order.id] });
    const held = await givenControl(at, { scopes: ['catalog.catalog_view'] });
    const change = { id, name: 'x', accessControlIds: [held.id, orderAndPrice.id] };
    await expectRefused(['price.price_read'], () => tryUpdateGroup(at, limited, change));
    await expectRefused(['price.price_read'], () => create({ accessControlIds: [held.id, orderAndPrice.id] }));
  });
});
