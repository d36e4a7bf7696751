// A customer, perhaps for a company (the "B2B token"), perhaps assisted by an employee (`act`, RFC 8693 s.4.1).
// Removing the customer from the company, disabling the company or the acting employee ends it.

import {
  groupKey,
  membershipKey,
  principalKey,
  type RevocationKey,
  sessionKey,
} from '../../revocations/revocation-key.ts';
import type { ClaimsOf } from '../claims.ts';
import type { TokenKindDefinition } from '../token-kind.ts';

/** What ends everything that was issued to a customer in a session, for a company. */
export const customerRevocationKeys = (
  claims: Pick<ClaimsOf<'customer'>, 'sub' | 'session_id' | 'legalEntityId' | 'groups' | 'act'>,
): RevocationKey[] => [
  sessionKey(claims.session_id),
  principalKey('customer', claims.sub),
  ...(claims.groups ?? []).map(groupKey),
  ...(claims.legalEntityId
    ? [membershipKey(claims.legalEntityId), membershipKey(claims.legalEntityId, claims.sub)]
    : []),
  ...(claims.act ? [principalKey('employee', claims.act.sub)] : []),
];

/** The customer's access token. */
export const customerToken: TokenKindDefinition<'customer'> = {
  kind: 'customer',
  typ: 'at+jwt',
  lifetimeSeconds: (settings) => settings.customerTokenSeconds,
  revocationKeys: customerRevocationKeys,
};
