// What a token answers to. Pure: scopeward/verify ships it, so that both sides ask for the same names.

import { clientKey, type RevocationKey, tenantKey, tokenKey } from '../revocations/revocation-key.ts';
import type { Claims } from './claims.ts';
import { tokenKinds } from './kinds/index.ts';

/** Every name under which a token of these claims is revoked. */
export function revocationKeysOf(claims: Claims): RevocationKey[] {
  const definition = tokenKinds[claims.kind] as { revocationKeys(of: Claims): RevocationKey[] };
  return [
    tokenKey(claims.jti),
    clientKey(claims.client_id),
    tenantKey(claims.tenant),
    ...definition.revocationKeys(claims),
  ];
}
