// A tenant that somebody can sign in to. What can be refused is refused before anything is written; group, administrator
// and clients then come in one change.
// Invariant: a tenant that somebody is in is never touched; one that was left without anybody half-way is completed.

import { randomBytes } from 'node:crypto';
import type { Modules } from '../app.ts';
import { conflict, type DomainError } from '../errors/domain-error.ts';
import type { Change } from '../modules/administration/administration.ts';
import { requireName } from '../modules/administration/editing.ts';
import { EVERY_SCOPE_ID } from '../modules/iam/predefined.ts';
import { setUpTenant } from '../tenant-set-up.ts';
import { COMMAND_LINE } from './command.ts';

/** What a tenant is made from. */
export interface NewTenant {
  readonly id: string;
  readonly name: string;
  readonly administrator: { readonly email: string; readonly firstName: string; readonly lastName: string };
  /** Absent: a random one. */
  readonly password?: string | undefined;
  readonly backend: boolean;
  readonly storefront: boolean;
}

/** What nobody is told again. */
export interface CreatedTenant {
  readonly tenant: string;
  readonly administrator: { readonly email: string; readonly password: string };
  readonly backend: { readonly clientId: string; readonly clientSecret: string } | null;
  readonly storefront: { readonly clientId: string } | null;
}

/** The tenant is there, and nobody in it. */
export class UnfinishedTenantError extends Error {
  constructor(id: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`Tenant ${id} was made, but nobody is in it yet; run the command again to complete it. The reason: ${why}`);
    this.name = 'UnfinishedTenantError';
    this.cause = cause;
  }
}

const exists = () => conflict('TENANT_EXISTS', 'There is a tenant of that id.');

/** Of an id that is the same in every tenant, so that a file of one fits another. */
const ADMINISTRATORS = {
  id: 'administrators',
  name: 'Administrators',
  userType: 'EMPLOYEE',
  accessControlIds: [EVERY_SCOPE_ID],
} as const;

/** Has nothing been made in it but what is predefined? */
async function requireEmpty({ tx }: Pick<Change, 'tx'>): Promise<void> {
  const people = (await tx.employee.count()) + (await tx.customer.count());
  if (people + (await tx.client.count()) + (await tx.group.count()) > 0) throw exists();
}

/** Makes it, or completes it. @throws BAD_USER_INPUT, CONFLICT `TENANT_EXISTS`, UnfinishedTenantError */
export async function createTenant(modules: Modules, wanted: NewTenant): Promise<CreatedTenant> {
  const { administer, clients, database, employees, groups, memberships, tenants } = modules;
  const { id } = wanted;
  const name = requireName(wanted.name, 'name');
  const password = wanted.password ?? randomBytes(18).toString('base64url');
  const found = (await tenants.list()).find((tenant) => tenant.id === id);
  if (found?.status === 'SUSPENDED') throw exists();
  if (found) await requireEmpty({ tx: database.forTenant({ tenantId: id }) });
  const account = await employees.prepare({ ...wanted.administrator, password });

  try {
    const ctx = await setUpTenant(modules, id, name, COMMAND_LINE);
    return await administer(ctx, async (change) => {
      await requireEmpty(change);
      const group = await groups.create(change, ADMINISTRATORS);
      const employee = await employees.insert(change, account);
      await memberships.add(change, { groupId: group.id, userId: employee.id, userType: 'EMPLOYEE' });
      const backend = wanted.backend
        ? await clients.register(change, { name: 'Back end', kind: 'BACKEND', scopes: [], everyScope: true })
        : null;
      const storefront = wanted.storefront
        ? await clients.register(change, { name: 'Storefront', kind: 'STOREFRONT', scopes: [] })
        : null;
      return {
        tenant: id,
        administrator: { email: employee.email, password },
        backend: backend && { clientId: backend.client.id, clientSecret: backend.clientSecret! },
        storefront: storefront && { clientId: storefront.client.id },
      };
    });
  } catch (error) {
    const isMade = tenants.find(id) !== null && (error as DomainError).reason !== 'TENANT_EXISTS';
    throw isMade ? new UnfinishedTenantError(id, error) : error;
  }
}
