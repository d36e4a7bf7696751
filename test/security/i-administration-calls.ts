// Random calls of every mutation of administration, on what there is in the world of these tests; and who makes them.

import fc from 'fast-check';
import type { Service } from '../kit/service.ts';
import { customerToken, mutate, type Token, tryEmployeeToken } from './i-administration-acts.ts';
import { others, type Rows, SECRET, type Tenant } from './i-administration-world.ts';

const actions = ['manage', 'read', 'read_own', 'view'];
const resources = ['customer.customer', 'order.order', 'price.price'];

/** Who acts. */
export interface Actor {
  readonly name: string;
  token(service: Service, tenant: Tenant, secrets: ReadonlyMap<string, string>): Promise<Token | null>;
}

const employeeActor = (id: string): Actor => ({
  name: `employee ${id}`,
  async token(service, tenant) {
    const { data } = await tryEmployeeToken(service, tenant.id, id).catch(() => ({ data: null }));
    return data?.refreshEmployeeToken ?? null;
  },
});

/** Four employees, the company's administrator, and a client. */
export const actorsOf = (tenant: Tenant): Actor[] => [
  ...['e0', 'e1', 'e2', 'e3'].map(employeeActor),
  {
    name: `customer ${tenant.customer.id} for company`,
    // Null while disabled.
    token: (service) => customerToken(service, tenant, tenant.customer.id, 'company').catch(() => null),
  },
  {
    name: `client ${tenant.id}-k0`,
    async token(service, _tenant, secrets) {
      const clientId = `${tenant.id}-k0`;
      const input = { clientId, clientSecret: secrets.get(clientId) ?? SECRET };
      const { data } = await mutate(service, undefined, 'issueServiceToken', { input }, 'accessToken scopes');
      return data?.issueServiceToken ?? null;
    },
  },
];

/** A call to be made: random numbers that choose among what is there by then. */
export interface Call {
  readonly actor: number;
  /** With a token of now, or the actor's last one. */
  readonly isFresh: boolean;
  readonly name: string;
  readonly numbers: readonly number[];
}

type Choose = {
  one<Item>(items: readonly Item[]): Item | undefined;
  some<Item>(items: readonly Item[]): Item[];
  chance(percent: number): boolean;
};

/** Draws from the numbers of a call, in turn. */
function choosing(numbers: readonly number[]): Choose {
  let next = 0;
  const draw = () => numbers[next++ % numbers.length]!;
  const one = <Item>(items: readonly Item[]) => items[draw() % Math.max(items.length, 1)];
  return {
    one,
    some: (items) => [...new Set(Array.from({ length: 1 + (draw() % 2) }, () => one(items)!).filter(Boolean))],
    chance: (percent) => draw() < percent,
  };
}

const idsOf = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);
const own = ({ controls }: Rows) => [...idsOf(controls.filter((each) => !each.predefined)), 'every-scope'];
const known = ({ scopes }: Rows) => [...others, 'iam.user_create', ...idsOf(scopes)];
const roleOrList = (rows: Rows, choose: Choose) =>
  choose.chance(40)
    ? { roleId: choose.one([...idsOf(rows.roles)]), resourceId: choose.one(resources) }
    : { scopes: choose.some(known(rows)) };
const contents = (rows: Rows, choose: Choose) => ({
  ...(choose.chance(60) ? { accessControlIds: choose.some(own(rows)) } : {}),
  ...(choose.chance(30) ? { templateIds: choose.some(idsOf(rows.templates)) } : {}),
});
const member = (rows: Rows, choose: Choose) => {
  const group = choose.one(rows.groups);
  const people = group?.userType === 'CUSTOMER' ? rows.customers : rows.employees;
  return { input: { groupId: group?.id, userId: choose.one(idsOf(people)), userType: group?.userType } };
};
let emails = 0;

/** By mutation, how to call it. */
export const calls: Record<string, (rows: Rows, choose: Choose) => Record<string, unknown>> = {
  addGroupMember: member,
  createAccessControl: (rows, choose) => ({ input: { name: 'n', ...roleOrList(rows, choose) } }),
  createAccessControlTemplate: (rows, choose) => ({ input: { name: 'n', accessControlIds: choose.some(own(rows)) } }),
  createClient: (rows, choose) => ({
    input: {
      name: 'n',
      kind: 'CUSTOM',
      ...(choose.chance(10) ? { scopes: [], everyScope: true } : { scopes: choose.some(known(rows)) }),
    },
  }),
  createEmployee: (rows, choose) => {
    emails += 1;
    const staff = rows.groups.filter(({ userType }) => userType === 'EMPLOYEE');
    return {
      input: { email: `n${emails}@test.example`, firstName: 'N', lastName: 'N', groupIds: choose.some(idsOf(staff)) },
    };
  },
  createGroup: (rows, choose) => ({
    input: { name: 'n', userType: choose.one(['EMPLOYEE', 'CUSTOMER']), ...contents(rows, choose) },
  }),
  createRole: (_rows, choose) => ({ input: { name: 'n', permissionIds: choose.some(actions) } }),
  createScope: (_rows, choose) => ({
    input: { id: `order.order_${choose.one(['fly', 'manage_own', 'see'])}`, description: 'd' },
  }),
  deleteAccessControl: (rows, choose) => ({ id: choose.one(own(rows)) }),
  deleteAccessControlTemplate: (rows, choose) => ({ id: choose.one(idsOf(rows.templates)) }),
  deleteClient: (rows, choose) => ({ id: choose.one(idsOf(rows.clients)) }),
  deleteCustomer: (rows, choose) => ({ id: choose.one(idsOf(rows.customers).filter((id) => id === 'c1')) ?? 'none' }),
  deleteEmployee: (rows, choose) => ({ id: choose.one(idsOf(rows.employees)) }),
  deleteGroup: (rows, choose) => ({ id: choose.one(idsOf(rows.groups)), force: choose.chance(70) }),
  deleteRole: (rows, choose) => ({ id: choose.one(idsOf(rows.roles)) }),
  deleteScope: (rows, choose) => ({ id: choose.one(idsOf(rows.scopes)) ?? 'none' }),
  removeGroupMember: member,
  rotateClientSecret: (rows, choose) => ({ id: choose.one(idsOf(rows.clients)) }),
  updateAccessControl: (rows, choose) => ({ input: { id: choose.one(own(rows)), ...roleOrList(rows, choose) } }),
  updateClient: (rows, choose) => ({
    input: {
      id: choose.one(idsOf(rows.clients)),
      ...(choose.chance(60) ? { scopes: choose.some(known(rows)) } : {}),
      ...(choose.chance(50) ? { enabled: choose.chance(60) } : {}),
    },
  }),
  updateCustomer: (rows, choose) => ({ input: { id: choose.one(idsOf(rows.customers)), enabled: choose.chance(60) } }),
  updateEmployee: (rows, choose) => ({ input: { id: choose.one(idsOf(rows.employees)), enabled: choose.chance(60) } }),
  updateGroup: (rows, choose) => ({
    input: {
      id: choose.one(idsOf(rows.groups)),
      ...(choose.chance(30) ? { name: 'renamed' } : {}),
      ...contents(rows, choose),
    },
  }),
  updateRole: (rows, choose) => ({ input: { id: choose.one(idsOf(rows.roles)), permissionIds: choose.some(actions) } }),
};

/** Random calls. */
export const randomCalls: fc.Arbitrary<Call[]> = fc.array(
  fc.record({
    actor: fc.nat(5),
    isFresh: fc.boolean(),
    name: fc.constantFrom(...Object.keys(calls)),
    numbers: fc.array(fc.nat(99), { minLength: 8, maxLength: 8 }),
  }),
  { minLength: 5, maxLength: 20 },
);

/** The variables of a call on what is there. */
export const variablesOf = ({ name, numbers }: Call, rows: Rows): Record<string, unknown> =>
  calls[name]!(rows, choosing(numbers));
