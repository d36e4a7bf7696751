// What an employee gets: an access token and a refresh token, within a session that ends some hours after the login.

import { FIRST_PARTY_CLIENT } from '../clients/first-party.ts';
import type { Entitlements } from '../iam/entitlements.ts';
import type { Employee } from '../principals/employees.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { IssuedToken, TokenIssuer } from '../tokens/issue.ts';

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
    /** Null: they signed in at the service itself. */
    clientId: string | null;
    entitled: Entitlements;
    rev: number;
    lifetimeSeconds: number;
  },
): Promise<IssuedToken> {
  const { tenant, employee, sessionId, clientId, entitled, rev, lifetimeSeconds } = subject;
  return tokens.issue({
    kind: 'employee',
    tenant,
    claims: {
      sub: employee.id,
      client_id: clientId ?? FIRST_PARTY_CLIENT,
      session_id: sessionId,
      groups: [...entitled.groupIds],
    },
    scopes: entitled.scopes,
    rev,
    lifetimeSeconds,
  });
}
