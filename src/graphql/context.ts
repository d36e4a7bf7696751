// What every resolver receives: the request's Ctx and the service's modules, as one flat record.
// Architecture s.3 and s.10. Invariant: fails closed; without a principal there is no tenant, so reading
// `tenantId` is refused instead of answering for nobody's tenant.

import type { Ctx, RequestContext } from '../context.ts';
import { unauthenticated } from '../errors/domain-error.ts';
import type { AuditEvents } from '../modules/audit/audit-events.ts';
import type { ClientUsage } from '../modules/clients/client-usage.ts';
import type { Clients } from '../modules/clients/clients.ts';
import type { CompanyRegistration } from '../modules/companies/company-registration.ts';
import type { ContactAssignments } from '../modules/companies/contact-assignments.ts';
import type { LegalEntities } from '../modules/companies/legal-entities.ts';
import type { Locations } from '../modules/companies/locations.ts';
import type { Grants } from '../modules/grants/index.ts';
import type { RequestToken } from '../modules/grants/request-token.ts';
import type { SaasTokens } from '../modules/grants/saas.ts';
import type { StartSso } from '../modules/grants/start-sso.ts';
import type { TokenPreviews } from '../modules/grants/token-preview.ts';
import type { AccessControls } from '../modules/iam/access-controls.ts';
import type { Contents } from '../modules/iam/contents.ts';
import type { CustomerAccounts } from '../modules/iam/customer-accounts.ts';
import type { EmployeeAccounts } from '../modules/iam/employee-accounts.ts';
import type { Groups } from '../modules/iam/groups.ts';
import type { Members } from '../modules/iam/members.ts';
import type { Memberships } from '../modules/iam/memberships.ts';
import type { Roles } from '../modules/iam/roles.ts';
import type { ScopeDefinitions } from '../modules/iam/scope-definitions.ts';
import type { Templates } from '../modules/iam/templates.ts';
import type { SigningKeys } from '../modules/keys/signing-keys.ts';
import type { Callers } from '../modules/principals/callers.ts';
import type { Customers } from '../modules/principals/customers.ts';
import type { EmailChange } from '../modules/principals/email-change.ts';
import type { Employees } from '../modules/principals/employees.ts';
import type { PasswordChange } from '../modules/principals/password-change.ts';
import type { PasswordReset } from '../modules/principals/password-reset.ts';
import type { Principal } from '../modules/principals/principal.ts';
import type { Registration } from '../modules/principals/registration.ts';
import type { Revocations } from '../modules/revocations/revocations.ts';
import type { ScopeCatalogue } from '../modules/scopes/custom-scopes.ts';
import type { SessionContexts } from '../modules/sessions/session-context.ts';
import type { Sessions } from '../modules/sessions/sessions.ts';
import type { ExternalIdentities } from '../modules/sso/external-identities.ts';
import type { IdentityProviders } from '../modules/sso/identity-providers.ts';
import type { Tenants } from '../modules/tenants/tenants.ts';
import type { TokenIntrospection } from '../modules/tokens/introspect.ts';
import type { TokenRevocation } from '../modules/tokens/revoke.ts';
import type { DocumentOptions } from './document-limits.ts';

/** The use cases that resolvers call: one entry per module, made by the composition root. */
export interface Services {
  readonly accessControls: AccessControls;
  readonly auditEvents: AuditEvents;
  readonly callers: Callers;
  readonly clientUsage: ClientUsage;
  readonly clients: Clients;
  readonly companyRegistration: CompanyRegistration;
  readonly contactAssignments: ContactAssignments;
  readonly contents: Contents;
  readonly customerAccounts: CustomerAccounts;
  readonly customers: Customers;
  readonly documentOptions: DocumentOptions;
  readonly emailChange: EmailChange;
  readonly employeeAccounts: EmployeeAccounts;
  readonly employees: Employees;
  readonly fieldsRequiring: (scope: string) => readonly string[];
  readonly grants: Grants;
  readonly groups: Groups;
  readonly externalIdentities: ExternalIdentities;
  readonly identityProviders: IdentityProviders;
  readonly introspection: TokenIntrospection;
  readonly legalEntities: LegalEntities;
  readonly locations: Locations;
  readonly members: Members;
  readonly memberships: Memberships;
  readonly passwordChange: PasswordChange;
  readonly passwordReset: PasswordReset;
  readonly registration: Registration;
  readonly requestToken: RequestToken;
  readonly revocations: Revocations;
  readonly roles: Roles;
  readonly saasTokens: SaasTokens;
  readonly scopeDefinitions: ScopeDefinitions;
  readonly scopes: ScopeCatalogue;
  readonly sessionContexts: SessionContexts;
  readonly sessions: Sessions;
  readonly signingKeys: SigningKeys;
  readonly templates: Templates;
  readonly startSso: StartSso;
  readonly tenants: Tenants;
  readonly tokenPreviews: TokenPreviews;
  readonly tokenRevocation: TokenRevocation;
}

/** The context of one operation. Passes as the `ctx` of every use case. */
export interface GraphQLContext extends Ctx {
  readonly services: Services;
}

/** A class for its accessor only: a getter on the prototype survives neither spreading nor Object.assign. */
class OperationContext implements GraphQLContext {
  readonly requestId: string;
  readonly ipAddress: string | null;
  readonly userAgent: string | null;
  readonly principal: Principal | null;
  readonly credential: RequestContext['credential'];
  readonly services: Services;

  constructor(request: RequestContext, services: Services) {
    this.requestId = request.requestId;
    this.ipAddress = request.ipAddress;
    this.userAgent = request.userAgent;
    this.principal = request.principal;
    this.credential = request.credential;
    this.services = services;
  }

  get tenantId(): string {
    if (!this.principal) throw unauthenticated();
    return this.principal.tenantId;
  }
}

/** A fresh context, so that nothing memoised for one operation is ever seen by another. */
export const createGraphQLContext = (request: RequestContext, services: Services): GraphQLContext =>
  new OperationContext(request, services);
