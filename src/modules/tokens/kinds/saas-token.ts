// The customer's narrow proof for checkout: same customer, session and company as the access token beside it.

import type { ClaimsOf } from '../claims.ts';
import type { TokenKindDefinition } from '../token-kind.ts';
import { customerRevocationKeys } from './customer-token.ts';

/** The saas token. It is no bearer token: its type says so. */
export const saasToken: TokenKindDefinition<'saas'> = {
  kind: 'saas',
  typ: 'saas+jwt',
  lifetimeSeconds: (settings) => settings.customerTokenSeconds,
  revocationKeys: customerRevocationKeys,
};

/** Whom a bearer token of a customer speaks for. */
export interface CustomerBearer {
  readonly tenant: string;
  readonly customerId: string;
  readonly sessionId: string | null;
  readonly legalEntityId: string | null;
}

/** Is a good saas token of the same customer, session and company as the bearer beside it? */
export const isOfBearer = (saas: ClaimsOf<'saas'>, bearer: CustomerBearer): boolean =>
  saas.tenant === bearer.tenant &&
  saas.sub === bearer.customerId &&
  saas.session_id === bearer.sessionId &&
  (saas.legalEntityId ?? null) === bearer.legalEntityId;
