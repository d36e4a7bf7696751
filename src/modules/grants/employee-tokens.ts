// What an employee gets: an access token and a refresh token, within a session that ends some hours after the login.

import type { Entitlements } from '../iam/entitlements.ts';
import type { Employee } from '../principals/employees.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { IssuedToken, TokenIssuer } from '../tokens/issue.ts';

/** Employees sign in at the service itself, so that is their `client_id` (RFC 9068 s.2.2 wants one). */
export const FIRST_PARTY_CLIENT = 'scopeward';

/** The tokens of an employee. */
export interface EmployeeTokens {
  readonly accessToken: IssuedToken;
  readonly refreshToken: { readonly token: string; readonly expiresIn: number };
  readonly sessionId: string;
  readonly employee: Employee;
}

/** Signs the access token. */
export function issueEmployeeAccessToken(
  tokens: TokenIssuer,
  subject: {
    tenant: Tenant;
    employee: Employee;
    sessionId: string;
    entitled: Entitlements;
    rev: number;
    lifetimeSeconds: number;
  },
): Promise<IssuedToken> {
  const { tenant, employee, sessionId, entitled, rev, lifetimeSeconds } = subject;
  return tokens.issue({
    kind: 'employee',
    tenant,
    claims: { sub: employee.id, client_id: FIRST_PARTY_CLIENT, session_id: sessionId, groups: [...entitled.groupIds] },
    scopes: entitled.scopes,
    rev,
    lifetimeSeconds,
  });
}
