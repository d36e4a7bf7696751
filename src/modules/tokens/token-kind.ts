// The contract of a kind of token: how it is marked, how long it lives, and what revokes it.

import type { RevocationKey } from '../revocations/revocation-key.ts';
import type { TenantSettings } from '../tenants/tenant-settings.ts';
import type { ClaimsOf, TokenKind } from './claims.ts';

/** One kind of signed token. */
export interface TokenKindDefinition<Kind extends TokenKind = TokenKind> {
  readonly kind: Kind;
  /** `typ` in the header: a token of one type is never taken for another (RFC 8725 s.3.11). */
  readonly typ: 'at+jwt' | 'saas+jwt' | 'anonymous-refresh+jwt';
  /** Seconds that a token lives, unless what it was got with ends before. */
  lifetimeSeconds(settings: TenantSettings): number;
  /** The names under which a token of these claims is revoked, beside its own `jti`, its client and its tenant. */
  revocationKeys(claims: ClaimsOf<Kind>): RevocationKey[];
}
