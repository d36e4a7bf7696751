// The customer's narrow proof for checkout: same customer, session and company as the access token beside it.

import type { TokenKindDefinition } from '../token-kind.ts';
import { customerRevocationKeys } from './customer-token.ts';

/** The saas token. It is no bearer token: its type says so. */
export const saasToken: TokenKindDefinition<'saas'> = {
  kind: 'saas',
  typ: 'saas+jwt',
  lifetimeSeconds: (settings) => settings.customerTokenSeconds,
  revocationKeys: customerRevocationKeys,
};
