// Whom a provider's person is here: by issuer and subject, else by a proved address, else somebody new where the provider
// may bring people. Invariants: an address that is not proved links nobody; a password whose owner never proved the
// address is dropped, and its sessions end, before the account is linked (security.md cases 71 and 72).

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { notFound } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { Administer } from '../administration/administration.ts';
import { recordAudit } from '../audit/audit.ts';
import type { Customer, Customers } from '../principals/customers.ts';
import type { Employee, Employees } from '../principals/employees.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { ExternalPerson } from './external-person.ts';
import type { IdentityProvider } from './identity-providers.ts';

/** An account that a provider's person is linked to. */
export type ExternalIdentity = Awaited<ReturnType<TenantClient['externalIdentity']['findFirstOrThrow']>>;

type UserType = ExternalIdentity['userType'];

const OVERTAKEN = 'another login of the same person was faster';

/** Was it refused only since the account was made or linked meanwhile? Asked again, it is found. */
export const isOvertaken = (error: unknown): boolean => error instanceof OAuthError && error.cause === OVERTAKEN;

const refuse = (cause: string) => new OAuthError('invalid_grant', { cause });

/** Finding, linking and making accounts. */
export function createExternalIdentities(deps: {
  administer: Administer;
  customers: Customers;
  database: Database;
  employees: Employees;
  revocations: Revocations;
  sessions: Sessions;
}) {
  const { administer, customers, database, employees, revocations, sessions } = deps;

  const linkOf = (tx: TenantClient, userType: UserType, { issuer, subject }: ExternalPerson) =>
    tx.externalIdentity.findFirst({ where: { userType, issuer, subject } });

  async function link(
    tx: TenantClient,
    ctx: Ctx,
    provider: IdentityProvider,
    { issuer, subject }: ExternalPerson,
    owner: { kind: 'customer' | 'employee'; id: string },
  ): Promise<void> {
    const isCustomer = owner.kind === 'customer';
    const { count } = await tx.externalIdentity.createMany({
      data: [
        {
          tenantId: ctx.tenantId,
          providerId: provider.id,
          issuer,
          subject,
          userType: isCustomer ? 'CUSTOMER' : 'EMPLOYEE',
          customerId: isCustomer ? owner.id : null,
          employeeId: isCustomer ? null : owner.id,
        },
      ],
      skipDuplicates: true,
    });
    if (count === 0) throw refuse(OVERTAKEN);
    await recordAudit(tx, ctx, {
      type: 'identity.linked',
      actor: owner,
      subject: owner,
      details: { provider: provider.name },
    });
  }

  return {
    /**
     * The customer that a person is, linked or made where need be, in the transaction of the login.
     * @throws INVALID_GRANT for somebody who is unknown and may not be made, or is disabled
     */
    async customer(tx: TenantClient, ctx: Ctx, provider: IdentityProvider, person: ExternalPerson): Promise<Customer> {
      const linked = await linkOf(tx, 'CUSTOMER', person);
      if (linked?.customerId) {
        const customer = await customers.holdEnabled(tx, ctx, linked.customerId);
        if (!customer) throw refuse('disabled');
        return customer;
      }
      const { verifiedEmail: email, firstName, lastName } = person;
      if (email === null) throw refuse('unknown, and without a proved address');
      const found = await tx.customer.findFirst({ where: { email } });
      if (!found && !provider.autoProvision) throw refuse('unknown, and the provider brings nobody');
      const account = { email, passwordHash: null, firstName, lastName, unconfirmed: false };
      const id = found?.id ?? (await customers.insert(tx, ctx, account))?.id;
      if (id === undefined) throw refuse(OVERTAKEN);
      const owner = { kind: 'customer', id } as const;
      if (found?.emailVerifiedAt === null && found.passwordHash !== null) {
        // Whoever set the password did not show that the address is theirs: it may be somebody who waited for this.
        await sessions.endAll(tx, ctx, owner, 'password.unproved');
      }
      await tx.customer.updateMany({
        where: { id, emailVerifiedAt: null },
        data: { passwordHash: null, emailVerifiedAt: new Date(), unconfirmed: false },
      });
      const customer = await customers.holdEnabled(tx, ctx, id);
      if (!customer) throw refuse('disabled');
      await link(tx, ctx, provider, person, owner);
      return customer;
    },

    /** The employee that a person is, as `customer`. An administrator made the account, so its password stays.
     * @throws INVALID_GRANT */
    async employee(tx: TenantClient, ctx: Ctx, provider: IdentityProvider, person: ExternalPerson): Promise<Employee> {
      const linked = await linkOf(tx, 'EMPLOYEE', person);
      if (linked?.employeeId) {
        const employee = await employees.holdEnabled(tx, ctx, linked.employeeId);
        if (!employee) throw refuse('disabled');
        return employee;
      }
      const { verifiedEmail: email, firstName, lastName } = person;
      if (email === null) throw refuse('unknown, and without a proved address');
      const found = await tx.employee.findFirst({ where: { email } });
      if (!found && !provider.autoProvision) throw refuse('unknown, and the provider brings nobody');
      const [local = email] = email.split('@');
      const names = { firstName: firstName ?? local, lastName: lastName ?? '' };
      const [made] = found
        ? [found]
        : await tx.employee.createManyAndReturn({
            data: [{ tenantId: ctx.tenantId, email, passwordHash: null, ...names }],
            skipDuplicates: true,
          });
      if (!made) throw refuse(OVERTAKEN);
      const employee = await employees.holdEnabled(tx, ctx, made.id);
      if (!employee) throw refuse('disabled');
      if (!found)
        await recordAudit(tx, ctx, {
          type: 'employee.created',
          subject: { kind: 'employee', id: employee.id },
          details: { after: { hasPassword: false }, provider: provider.name },
        });
      await link(tx, ctx, provider, person, { kind: 'employee', id: employee.id });
      return employee;
    },

    /** Whom providers vouch for of these customers or employees, in their order. */
    async ofOwners(ctx: Ctx, userType: UserType, ids: readonly string[]): Promise<ExternalIdentity[][]> {
      const column = userType === 'CUSTOMER' ? 'customerId' : 'employeeId';
      const found = await database.forTenant(ctx).externalIdentity.findMany({
        where: { userType, [column]: { in: [...ids] } },
        orderBy: { id: 'asc' },
      });
      return ids.map((id) => found.filter((each) => each[column] === id));
    },

    /** Forgets that a person is somebody here, and ends that somebody's sessions. @throws NOT_FOUND */
    async unlink(ctx: Ctx, id: string): Promise<void> {
      await administer(ctx, async (change) => {
        const { tx, tenantId } = change;
        const found = await tx.externalIdentity.findUnique({ where: { tenantId_id: { tenantId, id } } });
        if (!found) throw notFound('External identity');
        await tx.externalIdentity.delete({ where: { tenantId_id: { tenantId, id } } });
        const owner =
          found.customerId === null
            ? ({ kind: 'employee', id: found.employeeId ?? '' } as const)
            : ({ kind: 'customer', id: found.customerId } as const);
        await sessions.endAll(tx, change, owner, 'identity.unlinked');
        await recordAudit(tx, change, { type: 'identity.unlinked', subject: owner });
      });
      await revocations.felt();
    },
  };
}

/** See `createExternalIdentities`. */
export type ExternalIdentities = ReturnType<typeof createExternalIdentities>;
