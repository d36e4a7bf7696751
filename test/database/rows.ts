// A row of every model for a tenant, under the same ids in each tenant wherever the schema allows that.
// A model without a line here does not compile.

import type { Prisma } from '../../src/database/generated/client.ts';

type TenantModel = Exclude<Prisma.ModelName, 'Tenant' | 'Counter'>;
type Row = Record<string, unknown>;

const at = new Date('2030-01-01T00:00:00Z');

/** Rows in an order in which foreign keys hold. */
export function rowsOf(tenantId: string): Record<TenantModel, Row> {
  const clientId = `client-of-${tenantId}`;
  const unique = new TextEncoder().encode(tenantId);
  return {
    Client: { tenantId, id: clientId, name: 'Shop', kind: 'BACKEND', scopes: [] },
    ClientSecret: { tenantId, id: 'x', clientId, digest: unique },
    ClientScopeUsage: { tenantId, clientId, scope: 'cart.cart_read', lastUsedAt: at },
    CustomScope: { tenantId, id: 'x.y', description: 'd' },
    Customer: { tenantId, id: 'x', customerNumber: '00000001', email: 'a@example.org' },
    Employee: { tenantId, id: 'x', email: 'a@example.org', firstName: 'A', lastName: 'B' },
    LegalEntity: { tenantId, id: 'x', name: 'Acme' },
    ContactAssignment: { tenantId, id: 'x', customerId: 'x', legalEntityId: 'x' },
    Location: { tenantId, id: 'x', legalEntityId: 'x', name: 'HQ', type: 'OFFICE' },
    Group: { tenantId, id: 'x', name: 'Admins', userType: 'CUSTOMER', legalEntityId: 'x', role: 'ADMIN' },
    EmployeeMembership: { tenantId, groupId: 'x', employeeId: 'x' },
    CustomerMembership: { tenantId, groupId: 'x', customerId: 'x' },
    Role: { tenantId, id: 'x', name: 'Reader' },
    AccessControl: { tenantId, id: 'x', name: 'c', roleId: 'x', resourceId: 'x', scopes: [] },
    AccessControlTemplate: { tenantId, id: 'x', name: 't' },
    TemplateAccessControl: { tenantId, templateId: 'x', accessControlId: 'x' },
    GroupAccessControl: { tenantId, groupId: 'x', accessControlId: 'x' },
    GroupTemplate: { tenantId, groupId: 'x', templateId: 'x' },
    SigningKey: {
      tenantId,
      id: `key-of-${tenantId}`,
      algorithm: 'ES256',
      status: 'CURRENT',
      publicJwk: {},
      sealedPrivate: unique,
    },
    Attempt: { tenantId, id: new Uint8Array([1]), windowStart: at, count: 1 },
    Revocation: { tenantId, kind: 'TOKEN', key: 'x', reason: 'r' },
    Session: { tenantId, id: 'x', kind: 'CUSTOMER', customerId: 'x', clientId, expiresAt: at, endsAt: at },
    GuestContext: { tenantId, id: 'x', expiresAt: at },
    RefreshToken: { tenantId, id: unique, sessionId: 'x', branchId: 'x', expiresAt: at },
    IdentityProvider: {
      tenantId,
      id: 'x',
      name: 'p',
      issuer: 'https://idp.example',
      clientId: 'c',
      userTypes: ['CUSTOMER'],
    },
    SsoAuthorization: {
      tenantId,
      id: unique,
      providerId: 'x',
      userType: 'CUSTOMER',
      redirectUri: 'https://shop.example/back',
      verifierDigest: unique,
      sealed: unique,
      expiresAt: at,
    },
    UsedSubjectToken: { tenantId, id: unique, providerId: 'x', expiresAt: at },
    ExternalIdentity: {
      tenantId,
      id: 'x',
      providerId: 'x',
      issuer: 'https://idp.example',
      subject: 's',
      userType: 'CUSTOMER',
      customerId: 'x',
    },
    Letter: { tenantId, id: 'x', kind: 'REGISTRATION', userType: 'CUSTOMER', address: 'a@example.org' },
    LetterToken: { tenantId, id: unique, purpose: 'CHANGE_EMAIL', customerId: 'x', expiresAt: at },
    AuditEvent: {
      tenantId,
      id: 'x',
      type: 't',
      outcome: 'success',
      actor: {},
      requestId: 'r',
      details: { tenantId: 'anything' },
    },
  };
}

/** The columns of each compound key that a unique look-up takes, as Prisma names it. */
export function keyOf(model: TenantModel, row: Row): Row {
  const compound: Partial<Record<TenantModel, string[]>> = {
    ClientScopeUsage: ['tenantId', 'clientId', 'scope'],
    EmployeeMembership: ['tenantId', 'groupId', 'employeeId'],
    CustomerMembership: ['tenantId', 'groupId', 'customerId'],
    TemplateAccessControl: ['tenantId', 'templateId', 'accessControlId'],
    GroupAccessControl: ['tenantId', 'groupId', 'accessControlId'],
    GroupTemplate: ['tenantId', 'groupId', 'templateId'],
  };
  const columns = compound[model] ?? ['tenantId', 'id'];
  return { [columns.join('_')]: Object.fromEntries(columns.map((column) => [column, row[column]])) };
}
