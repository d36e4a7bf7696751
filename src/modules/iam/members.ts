// Who is in the groups of a page, and which groups people are in: for many at once, a statement or two whatever their
// number. Invariant: with `_own` scopes only contacts of the caller's company are seen, or counted.

import type { Ctx } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { Prisma } from '../../database/generated/client.ts';
import type { List, PageWindow } from '../../database/keyset.ts';
import { notFound } from '../../errors/domain-error.ts';
import { callers } from '../principals/callers.ts';
import type { Customer } from '../principals/customers.ts';
import type { Employee } from '../principals/employees.ts';
import { type Group, groupsInReach } from './groups.ts';

/** Somebody in a group. */
export type Member = Employee | Customer;

const isCustomer = (member: Member): member is Customer => 'customerNumber' in member;

/** `Customer` or `Employee`. */
export const typeOfMember = (member: Member): 'Customer' | 'Employee' => (isCustomer(member) ? 'Customer' : 'Employee');

/** Use cases of looking at members. */
export function createMembers(deps: { database: Database }) {
  const { database } = deps;

  /** Conditions on both tables of memberships: who the caller may see. */
  function inSight(ctx: Ctx) {
    if (callers.holds(ctx, 'iam.user_read')) return { employees: Prisma.empty, customers: Prisma.empty };
    return {
      employees: Prisma.sql`AND false`,
      customers: Prisma.sql`AND EXISTS (
        SELECT 1 FROM contact_assignments ca WHERE ca.tenant_id = cm.tenant_id AND ca.customer_id = cm.customer_id
        AND ca.legal_entity_id = ${callers.company(ctx)})`,
    };
  }

  return {
    /** A page of members of each group, by id, in the order of the groups. */
    async pages(ctx: Ctx, groupIds: readonly string[], window: PageWindow): Promise<Member[][]> {
      const { after, before, limit, inverted, skip = 0 } = window;
      const end = skip + limit;
      const { tenantId } = ctx;
      const db = database.forTenant(ctx);
      const sight = inSight(ctx);
      const within = (column: Prisma.Sql) => Prisma.sql`
        ${after ? Prisma.sql`AND ${column} > ${after[0]}` : Prisma.empty}
        ${before ? Prisma.sql`AND ${column} < ${before[0]}` : Prisma.empty}`;
      const order = inverted ? Prisma.sql`DESC` : Prisma.sql`ASC`;
      const found = await db.$queryRaw<{ group_id: string; kind: 'EMPLOYEE' | 'CUSTOMER'; user_id: string }[]>`
        SELECT wanted.group_id, member.kind, member.user_id
        FROM unnest(${groupIds}::text[]) WITH ORDINALITY AS wanted (group_id, place)
        CROSS JOIN LATERAL (
          -- Each table by its own index as far as the page goes: over both, a large group is read and sorted whole.
          (SELECT 'EMPLOYEE' AS kind, em.employee_id AS user_id FROM employee_memberships em
          WHERE em.tenant_id = ${tenantId} AND em.group_id = wanted.group_id
            ${within(Prisma.sql`em.employee_id`)} ${sight.employees}
          ORDER BY em.employee_id ${order} LIMIT ${end})
          UNION ALL
          (SELECT 'CUSTOMER', cm.customer_id FROM customer_memberships cm
          WHERE cm.tenant_id = ${tenantId} AND cm.group_id = wanted.group_id
            ${within(Prisma.sql`cm.customer_id`)} ${sight.customers}
          ORDER BY cm.customer_id ${order} LIMIT ${end})
          ORDER BY user_id ${order} LIMIT ${limit} OFFSET ${skip}
        ) member
        ORDER BY wanted.place, member.user_id ${order}`;
      const ids = (kind: 'EMPLOYEE' | 'CUSTOMER') => [
        ...new Set(found.filter((row) => row.kind === kind).map((row) => row.user_id)),
      ];
      const [employeeIds, customerIds] = [ids('EMPLOYEE'), ids('CUSTOMER')];
      const employees = employeeIds.length ? await db.employee.findMany({ where: { id: { in: employeeIds } } }) : [];
      const customers = customerIds.length ? await db.customer.findMany({ where: { id: { in: customerIds } } }) : [];
      const people = {
        EMPLOYEE: new Map<string, Member>(employees.map((employee) => [employee.id, employee])),
        CUSTOMER: new Map<string, Member>(customers.map((customer) => [customer.id, customer])),
      };
      const pages = new Map<string, Member[]>(groupIds.map((id) => [id, []]));
      for (const { group_id, kind, user_id } of found) {
        // Whoever was deleted between the two statements is left out.
        const person = people[kind].get(user_id);
        if (person) pages.get(group_id)!.push(person);
      }
      return groupIds.map((id) => pages.get(id)!);
    },

    /** How many members each group has, of those that the caller may see. */
    async counts(ctx: Ctx, groupIds: readonly string[]): Promise<number[]> {
      const { tenantId } = ctx;
      const sight = inSight(ctx);
      const rows = await database.forTenant(ctx).$queryRaw<{ group_id: string; members: bigint }[]>`
        SELECT group_id, count(*) AS members FROM (
          SELECT em.group_id FROM employee_memberships em
          WHERE em.tenant_id = ${tenantId} AND em.group_id = ANY(${groupIds}) ${sight.employees}
          UNION ALL
          SELECT cm.group_id FROM customer_memberships cm
          WHERE cm.tenant_id = ${tenantId} AND cm.group_id = ANY(${groupIds}) ${sight.customers}
        ) member GROUP BY group_id`;
      const counts = new Map(rows.map(({ group_id, members }) => [group_id, Number(members)]));
      return groupIds.map((id) => counts.get(id) ?? 0);
    },

    /** The members of one group, by id. With `iam.user_read_own`: of a group of the caller's company. @throws NOT_FOUND */
    async ofGroup(ctx: Ctx, id: string): Promise<List<Member>> {
      const where = { AND: [{ id }, groupsInReach(ctx, 'iam.user_read')] };
      if ((await database.forTenant(ctx).group.count({ where })) === 0) throw notFound('Group');
      return {
        page: async (window) => (await this.pages(ctx, [id], window))[0]!,
        count: async () => (await this.counts(ctx, [id]))[0]!,
      };
    },

    /** The groups of each employee that are in the caller's reach, by name. */
    async groupsOfEmployees(ctx: Ctx, employeeIds: readonly string[]): Promise<Group[][]> {
      const rows = await database.forTenant(ctx).employeeMembership.findMany({
        where: { employeeId: { in: [...employeeIds] }, group: groupsInReach(ctx, 'iam.group_read') },
        include: { group: true },
        orderBy: [{ group: { name: 'asc' } }, { groupId: 'asc' }],
      });
      return employeeIds.map((id) => rows.filter(({ employeeId }) => employeeId === id).map(({ group }) => group));
    },

    /** The groups of each customer that are in the caller's reach, by name. */
    async groupsOfCustomers(ctx: Ctx, customerIds: readonly string[]): Promise<Group[][]> {
      const rows = await database.forTenant(ctx).customerMembership.findMany({
        where: { customerId: { in: [...customerIds] }, group: groupsInReach(ctx, 'iam.group_read') },
        include: { group: true },
        orderBy: [{ group: { name: 'asc' } }, { groupId: 'asc' }],
      });
      return customerIds.map((id) => rows.filter(({ customerId }) => customerId === id).map(({ group }) => group));
    },
  };
}

/** See `createMembers`. */
export type Members = ReturnType<typeof createMembers>;
