// The three roles of the demo at work: what each may call, mutation by mutation and query by query, and that they may do
// no more than that. product.md section 10. A field that is added needs a line here.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtInScopes } from '../src/modules/scopes/registry.ts';
import { graphql, only } from './kit/graphql.ts';
import { ctxOf, type Service, startService } from './kit/service.ts';
import { type EmployeeToken, employee, tryAssist } from './kit/stories.ts';
import { inputsOf, operationOf, type RootField, rootFields } from './security/h-graphql-operations.ts';
import { beginSession, mutate, outcomeOf, rowsOfTenant } from './security/i-administration-acts.ts';

const roles = ['admin', 'catalog', 'support'] as const;
type Role = (typeof roles)[number];

let service: Service;
let tokens: Record<Role, EmployeeToken>;
beforeAll(async () => {
  service = await startService();
  const [admin, catalog, support] = [
    await employee(service, 'admin@demo.example'),
    await employee(service, 'catalog@demo.example'),
    await employee(service, 'support@demo.example'),
  ];
  tokens = { admin, catalog, support };
});
afterAll(() => service?.stop());

/** A token in a session that nothing else uses. */
async function tokenOf(role: Role): Promise<string> {
  const refreshToken = await beginSession(service, 'demo', { kind: 'employee', id: tokens[role].employee.id }, null);
  const input = { refreshToken };
  return only(await mutate(service, undefined, 'refreshEmployeeToken', { input }, 'accessToken')).accessToken;
}

/** Arguments that every type accepts, and that name nothing: an empty text is no name, no id and no address. */
const nothing = (field: RootField) =>
  inputsOf(field.field, ({ type, path }) => {
    if (type === 'enum' && field.name === 'createLocation') return 'OFFICE';
    if (type === 'enum') return path.endsWith('serType') ? 'EMPLOYEE' : path.endsWith('kind') ? 'CUSTOM' : undefined;
    if (type === 'Int') return 0;
    if (type === 'Boolean') return false;
    return type === 'String' || type === 'ID' ? '' : undefined;
  });

/** `open`, or who is not told FORBIDDEN. */
async function whoMay(field: RootField): Promise<string> {
  const variables = nothing(field);
  const query = operationOf(field, 0);
  const may: string[] = [];
  for (const role of roles) {
    const { code } = await graphql(service, query, { bearer: await tokenOf(role), variables });
    if (code !== 'FORBIDDEN') may.push(role);
  }
  const isOpen = field.access.kind === 'open';
  return `${field.name}: ${isOpen ? 'open' : may.join(' ') || 'none of them'}`;
}

const table = async (kind: RootField['kind']) => {
  const lines: string[] = [];
  for (const field of rootFields.filter((each) => each.kind === kind)) lines.push(await whoMay(field));
  return lines.sort();
};

const ofServices = (...services: string[]) => builtInScopes.filter((scope) => services.includes(scope.split('.')[0]!));

describe('the three', () => {
  it('have what their groups are for: every scope; the catalogue; looking, and assisting customers', () => {
    expect(tokens.admin.scopes).toEqual(builtInScopes);
    expect(tokens.catalog.scopes).toEqual(ofServices('catalog', 'category', 'product'));
    expect(tokens.support.scopes).toEqual([
      'audit.event_read',
      'customer.assisted_buying_manage',
      'customer.customer_read',
      ...ofServices('customermanagement').filter((scope) => scope.endsWith('_read')),
      ...ofServices('iam').filter((scope) => scope.endsWith('_read')),
    ]);
  });

  it('support sees who is in which group and why, and does not alter it; the catalogue manager does not see it', async () => {
    const query = `{ groups(search: "Support") { nodes {
      name scopes accessControls { name } members { nodes { ... on Employee { email } } } } } }`;
    const seen = await graphql(service, query, { bearer: tokens.support.accessToken });
    expect(only(seen)).toMatchObject({
      nodes: [
        {
          name: 'Support',
          scopes: tokens.support.scopes,
          accessControls: [{ name: 'Support' }],
          members: { nodes: [{ email: 'support@demo.example' }] },
        },
      ],
    });
    const unseen = await graphql(service, query, { bearer: tokens.catalog.accessToken });
    expect([outcomeOf(unseen), unseen.data]).toEqual([
      'FORBIDDEN: iam.access_read iam.group_read iam.user_read',
      undefined,
    ]);
  });

  it('support acts for a customer with what the customer may; the catalogue manager does not; neither for themself', async () => {
    const found = only<{ nodes: { id: string }[] }>(
      await graphql(service, '{ customers(search: "buyer@demo") { nodes { id } } }', {
        bearer: tokens.support.accessToken,
      }),
    );
    const input = { customerId: found.nodes[0]!.id, legalEntityId: 'acme' };
    const assisted = only(await tryAssist(service, tokens.support.accessToken, input));
    expect(assisted.scopes).toContain('iam.assignment_create_own');
    expect(assisted.scopes).not.toContain('iam.group_read');
    expect(outcomeOf(await tryAssist(service, tokens.catalog.accessToken, input))).toBe(
      'FORBIDDEN: customer.assisted_buying_manage',
    );
    expect(outcomeOf(await tryAssist(service, assisted.accessToken, input))).toBe(
      'FORBIDDEN: customer.assisted_buying_manage',
    );
  });

  it('the administrator gives what the next token shows, and takes what is refused at once', async () => {
    const { groups } = service.app.modules;
    const { id: userId } = tokens.catalog.employee;
    const [group] = await groups.list(ctxOf('demo'), { search: 'Support' }).page({
      after: null,
      before: null,
      limit: 1,
      inverted: false,
    });
    const input = { groupId: group!.id, userId, userType: 'EMPLOYEE' };
    const admin = tokens.admin.accessToken;
    expect(outcomeOf(await mutate(service, admin, 'addGroupMember', { input }))).toBe('done');
    const both = await tokenOf('catalog');
    expect(outcomeOf(await graphql(service, '{ groups { totalCount } }', { bearer: both }))).toBe('done');
    expect(outcomeOf(await mutate(service, admin, 'removeGroupMember', { input }))).toBe('done');
    expect(outcomeOf(await graphql(service, '{ groups { totalCount } }', { bearer: both }))).toBe('UNAUTHENTICATED');
    const less = await tokenOf('catalog');
    expect(outcomeOf(await graphql(service, '{ groups { totalCount } }', { bearer: less }))).toBe(
      'FORBIDDEN: iam.group_read',
    );
  });
});

describe('who of the three may call what', () => {
  it('every mutation', { timeout: 120_000 }, async () => {
    const before = await rowsOfTenant(service, 'demo');
    expect(await table('mutation')).toMatchInlineSnapshot(`
      [
        "addGroupMember: admin",
        "assignContact: admin",
        "changePassword: admin catalog support",
        "confirmCustomer: open",
        "confirmEmailChange: open",
        "createAccessControl: admin",
        "createAccessControlTemplate: admin",
        "createClient: admin",
        "createEmployee: admin",
        "createGroup: admin",
        "createIdentityProvider: admin",
        "createLegalEntity: admin",
        "createLocation: admin",
        "createRole: admin",
        "createScope: admin",
        "deleteAccessControl: admin",
        "deleteAccessControlTemplate: admin",
        "deleteClient: admin",
        "deleteCustomer: admin",
        "deleteEmployee: admin",
        "deleteGroup: admin",
        "deleteIdentityProvider: admin",
        "deleteLegalEntity: admin",
        "deleteLocation: admin",
        "deleteRole: admin",
        "deleteScope: admin",
        "exchangeToken: open",
        "issueAnonymousToken: open",
        "issueAssistedCustomerToken: admin support",
        "issueB2BToken: open",
        "issueCustomerToken: open",
        "issueEmployeeToken: open",
        "issueSaasToken: none of them",
        "issueServiceToken: open",
        "issueSsoToken: open",
        "logout: admin catalog support",
        "logoutEverywhere: admin catalog support",
        "refreshAnonymousToken: open",
        "refreshCustomerToken: open",
        "refreshEmployeeToken: open",
        "registerCustomer: none of them",
        "removeGroupMember: admin",
        "requestEmailChange: none of them",
        "requestPasswordReset: open",
        "resetPassword: open",
        "retireSigningKey: admin",
        "revokeSession: admin catalog support",
        "revokeToken: open",
        "rotateClientSecret: admin",
        "rotateSigningKey: admin",
        "startSso: open",
        "unassignContact: admin",
        "unlinkExternalIdentity: admin",
        "updateAccessControl: admin",
        "updateClient: admin",
        "updateCustomer: admin",
        "updateEmployee: admin",
        "updateGroup: admin",
        "updateIdentityProvider: admin",
        "updateLegalEntity: admin",
        "updateRole: admin",
        "updateSessionContext: none of them",
      ]
    `);
    // Nothing came of it, but for what has no argument to break: sessions ended, and a key that signs.
    const after = await rowsOfTenant(service, 'demo');
    const apart = { audit_events: [], refresh_tokens: [], revocations: [], sessions: [], signing_keys: [] };
    expect({ ...after, ...apart }).toEqual({ ...before, ...apart });
  });

  it('every query', { timeout: 120_000 }, async () => {
    expect(await table('query')).toMatchInlineSnapshot(`
      [
        "accessControl: admin support",
        "accessControlTemplates: admin support",
        "accessControls: admin support",
        "auditEvents: admin support",
        "client: admin",
        "clients: admin",
        "currentPrincipal: open",
        "customer: admin support",
        "customers: admin support",
        "employee: admin support",
        "employees: admin support",
        "explainAccess: admin catalog support",
        "group: admin support",
        "groups: admin support",
        "identityProviders: admin",
        "introspectToken: admin",
        "latestRevocation: admin",
        "legalEntities: admin support",
        "legalEntity: admin support",
        "mySessions: admin catalog support",
        "permissions: admin support",
        "resources: admin support",
        "role: admin support",
        "roles: admin support",
        "scope: admin catalog support",
        "scopes: admin catalog support",
        "sessions: admin",
        "signingKeys: admin",
        "tenant: admin catalog support",
      ]
    `);
  });
});
