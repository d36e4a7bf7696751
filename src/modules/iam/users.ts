// People as access management sees them: employees or customers, the groups they are in, and what they have by them.
// Invariant: a customer's groups count without a company, or in the company acted for: never those of another company.

import type { Ctx } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { keyset, type List } from '../../database/keyset.ts';
import { notFound } from '../../errors/domain-error.ts';
import { subjectOf } from '../principals/callers.ts';
import type { GroupsOfType } from './access-controls.ts';
import type { EntitlementsOf } from './entitlements.ts';
import { type Group, withMember } from './groups.ts';
import { type Member, type Members, typeOfMember } from './members.ts';

/** Use cases of people and their groups. */
export function createUsers(deps: { database: Database; entitlements: EntitlementsOf; members: Members }) {
  const { database, entitlements, members } = deps;

  /** One person; null when the tenant has none of that id. */
  async function find(ctx: Ctx, id: string): Promise<Member | null> {
    const db = database.forTenant(ctx);
    return (await db.employee.findFirst({ where: { id } })) ?? db.customer.findFirst({ where: { id } });
  }

  async function entitled(ctx: Ctx, person: Member, legalEntityId: string | null) {
    const db = database.forTenant(ctx);
    const userType = typeOfMember(person) === 'Employee' ? 'EMPLOYEE' : 'CUSTOMER';
    const { scopes, groupIds } =
      userType === 'EMPLOYEE'
        ? await entitlements.ofEmployee(db, ctx, person.id)
        : await entitlements.ofCustomer(db, ctx, person.id, legalEntityId);
    return { userType, scopes, groupIds } as const;
  }

  return {
    find,

    /** All of one type, by mail address. */
    list(ctx: Ctx, userType: 'EMPLOYEE' | 'CUSTOMER'): List<Member> {
      const { employee, customer } = database.forTenant(ctx);
      return userType === 'EMPLOYEE'
        ? { page: (window) => employee.findMany(keyset(window, ['email'])), count: () => employee.count() }
        : { page: (window) => customer.findMany(keyset(window, ['email'])), count: () => customer.count() };
    },

    /** The groups of each that are in the caller's reach, by name. */
    async groupsOf(ctx: Ctx, people: readonly Member[]): Promise<Group[][]> {
      const idsOf = (type: ReturnType<typeof typeOfMember>) =>
        people.filter((person) => typeOfMember(person) === type).map(({ id }) => id);
      const [employees, customers] = [idsOf('Employee'), idsOf('Customer')];
      const ofEmployees = employees.length > 0 ? await members.groupsOfEmployees(ctx, employees) : [];
      const ofCustomers = customers.length > 0 ? await members.groupsOfCustomers(ctx, customers) : [];
      const groups = new Map([
        ...employees.map((id, at) => [id, ofEmployees[at]!] as const),
        ...customers.map((id, at) => [id, ofCustomers[at]!] as const),
      ]);
      return people.map(({ id }) => groups.get(id)!);
    },

    /** The scopes of somebody's next token, for no company; nothing for nobody. */
    async scopesOf(ctx: Ctx, id: string): Promise<readonly string[]> {
      const person = await find(ctx, id);
      return person ? (await entitled(ctx, person, null)).scopes : [];
    },

    /** The groups by which somebody gets anything, for no company. @throws NOT_FOUND */
    async givingGroupsOf(ctx: Ctx, id: string): Promise<GroupsOfType> {
      const person = await find(ctx, id);
      if (!person) throw notFound('User');
      return entitled(ctx, person, null);
    },

    /** The caller. @throws NOT_FOUND for clients and guests, who are no people */
    async me(ctx: Ctx): Promise<Member> {
      const { principal } = ctx;
      const isPerson = principal?.kind === 'employee' || principal?.kind === 'customer';
      const person = isPerson ? await find(ctx, subjectOf(principal)) : null;
      if (!person) throw notFound('User');
      return person;
    },

    /** All groups that the caller is in, by name: what one is oneself is nobody else's. */
    async myGroups(ctx: Ctx): Promise<Group[]> {
      const { id } = await this.me(ctx);
      return database.forTenant(ctx).group.findMany({
        where: withMember(id),
        orderBy: [{ name: 'asc' }, { id: 'asc' }],
      });
    },

    /** The groups by which the caller gets anything, for the company of the token. Clients and guests get nothing so. */
    async myGivingGroups(ctx: Ctx): Promise<GroupsOfType> {
      const { principal } = ctx;
      if (principal?.kind !== 'employee' && principal?.kind !== 'customer')
        return { userType: 'EMPLOYEE', groupIds: [] };
      const legalEntityId = principal.kind === 'customer' ? principal.legalEntityId : null;
      return entitled(ctx, await this.me(ctx), legalEntityId);
    },
  };
}

/** See `createUsers`. */
export type Users = ReturnType<typeof createUsers>;
