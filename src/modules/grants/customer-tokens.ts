// What a customer gets: an access token and the saas token beside it, of the same customer, session and company.

import type { LegalEntity } from '../companies/legal-entities.ts';
import type { Entitlements } from '../iam/entitlements.ts';
import type { Customer } from '../principals/customers.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { IssuedToken, TokenIssuer } from '../tokens/issue.ts';

/** For whom the tokens speak. */
export interface CustomerSubject {
  readonly tenant: Tenant;
  readonly customer: Customer;
  readonly sessionId: string;
  readonly clientId: string;
  readonly legalEntity: LegalEntity | null;
  readonly entitled: Entitlements;
  readonly rev: number;
  /** Where the session ends sooner than the token would. */
  readonly lifetimeSeconds?: number;
  /** The employee who acts for the customer (RFC 8693 s.4.1), and the groups that let the employee do so. */
  readonly actor?: { readonly id: string; readonly groupIds: readonly string[] };
}

/** A refresh token as its holder sees it. */
export interface HeldRefreshToken {
  readonly token: string;
  readonly expiresIn: number;
  readonly legalEntity: LegalEntity | null;
}

/** The tokens of a customer. */
export interface CustomerTokens {
  readonly accessToken: IssuedToken;
  readonly saasToken: IssuedToken;
  /** Absent for an assisted customer: the employee has to ask again. */
  readonly refreshToken: HeldRefreshToken | null;
  readonly branchedFrom: HeldRefreshToken | null;
  readonly sessionId: string;
  readonly legalEntity: LegalEntity | null;
  readonly customer: Customer;
}

const claimsOf = ({ customer, sessionId, clientId, legalEntity, entitled, actor }: CustomerSubject) => ({
  sub: customer.id,
  client_id: clientId,
  session_id: sessionId,
  ...(legalEntity ? { legalEntityId: legalEntity.id } : {}),
  groups: [...entitled.groupIds, ...(actor?.groupIds ?? [])],
  ...(actor ? { act: { sub: actor.id } } : {}),
});

/** Signs the access token and the saas token. */
export async function issueCustomerTokens(tokens: TokenIssuer, subject: CustomerSubject) {
  const { tenant, customer, entitled, rev } = subject;
  const { email, firstName, lastName, customerNumber } = customer;
  const life = subject.lifetimeSeconds === undefined ? {} : { lifetimeSeconds: subject.lifetimeSeconds };
  const claims = claimsOf(subject);
  const [accessToken, saasToken] = await Promise.all([
    tokens.issue({
      kind: 'customer',
      tenant,
      claims,
      scopes: entitled.scopes,
      person: { email, firstName, lastName, customerNumber },
      rev,
      ...life,
    }),
    tokens.issue({ kind: 'saas', tenant, claims, scopes: [], rev, ...life }),
  ]);
  return { accessToken, saasToken };
}
