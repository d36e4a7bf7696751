// The list of grants: what a token can be obtained with. A new one is a file and a line here.

import type { Database } from '../../database/database.ts';
import type { ClientAuthentication } from '../clients/client-authentication.ts';
import type { ClientUsage } from '../clients/client-usage.ts';
import type { Clients } from '../clients/clients.ts';
import type { ContactAssignments } from '../companies/contact-assignments.ts';
import type { LegalEntities } from '../companies/legal-entities.ts';
import type { EntitlementsOf } from '../iam/entitlements.ts';
import type { Attempts } from '../limits/attempts.ts';
import type { Customers } from '../principals/customers.ts';
import type { Employees } from '../principals/employees.ts';
import type { Passwords } from '../principals/passwords.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { RefreshTokens } from '../sessions/refresh-tokens.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { SingleSignOn } from '../sso/single-sign-on.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { TokenIssuer } from '../tokens/issue.ts';
import type { TokenVerifier } from '../tokens/verify.ts';
import { createAnonymousGrant } from './anonymous.ts';
import { createAssistedCustomerGrant } from './assisted-customer.ts';
import { createClientCredentialsGrant } from './client-credentials.ts';
import type { CustomerFactsOf } from './customer-facts.ts';
import { createCustomerLoginGrant } from './customer-login.ts';
import type { CustomerSessions } from './customer-session.ts';
import { createEmployeeLoginGrant } from './employee-login.ts';
import { createEmployeeSessions } from './employee-session.ts';
import { createRefreshAnonymousGrant } from './refresh-anonymous.ts';
import { createRefreshAnyGrant } from './refresh-any.ts';
import { createRefreshEmployeeGrant } from './refresh-employee.ts';
import { createRefreshTokenGrant } from './refresh-token.ts';
import { createRefreshTokenSpending } from './spend-refresh-token.ts';
import { createSsoGrants } from './sso.ts';

/** What the grants are made of; each takes what it needs. */
export interface GrantDependencies {
  readonly attempts: Attempts;
  readonly clientAuthentication: ClientAuthentication;
  readonly clientUsage: ClientUsage;
  readonly clients: Clients;
  readonly contactAssignments: ContactAssignments;
  readonly customerFacts: CustomerFactsOf;
  readonly customers: Customers;
  readonly customerSessions: CustomerSessions;
  readonly database: Database;
  readonly employees: Employees;
  readonly entitlements: EntitlementsOf;
  readonly legalEntities: LegalEntities;
  /** Learns that a spent refresh token came back. */
  readonly onReuse?: () => void;
  readonly passwords: Passwords;
  readonly refreshTokens: RefreshTokens;
  readonly revocations: Revocations;
  readonly sessions: Sessions;
  readonly singleSignOn: SingleSignOn;
  readonly tenants: Tenants;
  readonly tokens: TokenIssuer;
  readonly verifier: TokenVerifier;
}

/** Every grant. */
export function createGrants(deps: GrantDependencies) {
  const spending = createRefreshTokenSpending(deps);
  const employeeSessions = createEmployeeSessions(deps);
  const refreshAnonymous = createRefreshAnonymousGrant(deps);
  const refreshToken = createRefreshTokenGrant({ ...deps, spending });
  const refreshEmployee = createRefreshEmployeeGrant({ ...deps, spending });
  return {
    clientCredentials: createClientCredentialsGrant(deps),
    anonymous: createAnonymousGrant(deps),
    refreshAnonymous,
    customerLogin: createCustomerLoginGrant(deps),
    refreshToken,
    employeeLogin: createEmployeeLoginGrant({ ...deps, employeeSessions }),
    assistedCustomer: createAssistedCustomerGrant(deps),
    ...createSsoGrants({ ...deps, ...deps.singleSignOn, employeeSessions }),
    refreshEmployee,
    refreshAny: createRefreshAnyGrant({ ...deps, refreshAnonymous, refreshEmployee, refreshToken }),
  };
}

/** See `createGrants`. */
export type Grants = ReturnType<typeof createGrants>;
