// Groups for tests: what they are made of, by SQL, for it is what a test begins with; what an administrator does with
// them, by GraphQL; and what that has left behind.

import { randomUUID } from 'node:crypto';
import { givenClient } from './given.ts';
import { type Answer, graphql, only } from './graphql.ts';
import type { Service } from './service.ts';
import { PASSWORD, tryEmployeeLogin, tryServiceToken } from './stories.ts';

type UserType = 'EMPLOYEE' | 'CUSTOMER';
type Has = Pick<Service, 'app'>;
type At = Pick<Service, 'url'>;

/** An access control: scopes, perhaps as if worked out from a role, perhaps for one type of user. */
export function givenControl(
  { app }: Has,
  given: {
    scopes?: string[];
    everyScope?: boolean;
    restrictedTo?: UserType;
    roleId?: string;
    resourceId?: string;
    name?: string;
  },
  tenantId = 'demo',
) {
  const data = { tenantId, name: `control-${randomUUID()}`, scopes: [], ...given };
  return app.modules.database.forTenant({ tenantId }).accessControl.create({ data });
}

/** A template of these access controls. */
export async function givenTemplate({ app }: Has, controlIds: readonly string[], tenantId = 'demo') {
  const db = app.modules.database.forTenant({ tenantId });
  const template = await db.accessControlTemplate.create({ data: { tenantId, name: `template-${randomUUID()}` } });
  const templateId = template.id;
  await db.templateAccessControl.createMany({
    data: controlIds.map((accessControlId) => ({ tenantId, templateId, accessControlId })),
  });
  return template;
}

/** A group of employees unless said, with an access control of its own for `scopes`. */
export async function givenGroup(
  service: Has,
  given: {
    name?: string;
    userType?: UserType;
    legalEntityId?: string;
    scopes?: string[];
    controlIds?: readonly string[];
    templateIds?: readonly string[];
    memberIds?: readonly string[];
  } = {},
  tenantId = 'demo',
) {
  const { name = `group-${randomUUID()}`, userType = 'EMPLOYEE', legalEntityId = null, memberIds = [] } = given;
  const db = service.app.modules.database.forTenant({ tenantId });
  const group = await db.group.create({ data: { tenantId, name, userType, legalEntityId } });
  const groupId = group.id;
  const own = given.scopes ? [(await givenControl(service, { scopes: given.scopes }, tenantId)).id] : [];
  await db.groupAccessControl.createMany({
    data: [...own, ...(given.controlIds ?? [])].map((accessControlId) => ({ tenantId, groupId, accessControlId })),
  });
  await db.groupTemplate.createMany({
    data: (given.templateIds ?? []).map((templateId) => ({ tenantId, groupId, templateId })),
  });
  if (userType === 'EMPLOYEE')
    await db.employeeMembership.createMany({
      data: memberIds.map((employeeId) => ({ tenantId, groupId, employeeId })),
    });
  else
    await db.customerMembership.createMany({
      data: memberIds.map((customerId) => ({ tenantId, groupId, customerId })),
    });
  return group;
}

/** The id of one of the four groups of a company. */
export async function companyGroup({ app }: Has, legalEntityId: string, role: string): Promise<string> {
  const db = app.modules.database.forTenant({ tenantId: 'demo' });
  return (await db.group.findFirstOrThrow({ where: { legalEntityId, role: role as 'ADMIN' } })).id;
}

/** A service token of the tenant `demo` with exactly these scopes. */
export async function tokenWith(service: Service, ...scopes: string[]): Promise<string> {
  const { id, clientSecret } = await givenClient(service, scopes);
  return only<{ accessToken: string }>(await tryServiceToken(service, id, clientSecret)).accessToken;
}

/** A token of the employee of a tenant that `givenTenant` made. */
export async function administratorOf(at: At, tenant: { id: string; employee: { email: string } }): Promise<string> {
  const login = await tryEmployeeLogin(at, tenant.employee.email, PASSWORD, tenant.id);
  return only<{ accessToken: string }>(login).accessToken;
}

type Bearer = string | undefined;
type Input = Record<string, unknown>;

export const tryCreateGroup = (at: At, bearer: Bearer, input: Input): Promise<Answer<any>> =>
  graphql(at, 'mutation ($input: CreateGroupInput!) { createGroup(input: $input) { id name version } }', {
    bearer,
    variables: { input },
  });

export const tryUpdateGroup = (at: At, bearer: Bearer, input: Input): Promise<Answer<any>> =>
  graphql(at, 'mutation ($input: UpdateGroupInput!) { updateGroup(input: $input) { id name version } }', {
    bearer,
    variables: { input },
  });

export const tryDeleteGroup = (at: At, bearer: Bearer, id: string, force?: boolean | null): Promise<Answer<any>> =>
  graphql(at, 'mutation ($id: ID!, $force: Boolean) { deleteGroup(id: $id, force: $force) }', {
    bearer,
    variables: { id, force },
  });

/** Who, and where. An employee unless said. */
export interface Membership {
  readonly groupId: string;
  readonly userId: string;
  readonly userType?: UserType;
}

export const tryAddMember = (at: At, bearer: Bearer, membership: Membership): Promise<Answer<any>> =>
  graphql(at, 'mutation ($input: GroupMemberInput!) { addGroupMember(input: $input) { id name } }', {
    bearer,
    variables: { input: { userType: 'EMPLOYEE', ...membership } },
  });

export const tryRemoveMember = (at: At, bearer: Bearer, membership: Membership): Promise<Answer<any>> =>
  graphql(at, 'mutation ($input: GroupMemberInput!) { removeGroupMember(input: $input) { id name } }', {
    bearer,
    variables: { input: { userType: 'EMPLOYEE', ...membership } },
  });

/** The audit events of the request that was answered so. */
export async function eventsOf({ app }: Has, { headers }: Answer) {
  const requestId = headers.get('x-request-id')!;
  const events = await app.modules.database.system().auditEvent.findMany({ where: { requestId } });
  return events.map(({ type, outcome, actor, subject, legalEntityId, details }) => ({
    type,
    outcome,
    actor,
    subject,
    legalEntityId,
    details,
  }));
}

/** What the tenant `demo` revokes while `work` is done: `GROUP id`, `PRINCIPAL employee:id`. */
export async function revokedBy({ app }: Has, work: () => Promise<unknown>): Promise<string[]> {
  const { database, revocations } = app.modules;
  const sequence = { gt: await revocations.latest() };
  await work();
  const entries = await database.forTenant({ tenantId: 'demo' }).revocation.findMany({ where: { sequence } });
  return entries.map(({ kind, key }) => `${kind} ${key}`).sort();
}

/** Everything of the tenant `demo` that work on groups can alter. */
export async function everything({ app }: Has) {
  const db = app.modules.database.forTenant({ tenantId: 'demo' });
  const rows = {
    groups: await db.group.findMany(),
    controls: await db.groupAccessControl.findMany(),
    templates: await db.groupTemplate.findMany(),
    employees: await db.employeeMembership.findMany(),
    customers: await db.customerMembership.findMany(),
    accessControls: await db.accessControl.findMany(),
  };
  const sorted = Object.entries(rows).map(([name, all]) => [name, all.map((row) => JSON.stringify(row)).sort()]);
  return { sorted, events: await db.auditEvent.count(), revoked: await app.modules.revocations.latest() };
}
