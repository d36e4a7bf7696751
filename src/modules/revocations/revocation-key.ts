// What a revocation may name, and what a token therefore answers to. Pure.

/** What is revoked, as the schema's `RevocationKind` has it. */
export type RevocationKind =
  | 'TOKEN'
  | 'SESSION'
  | 'PRINCIPAL'
  | 'CLIENT'
  | 'LEGAL_ENTITY_MEMBERSHIP'
  | 'GROUP'
  | 'TENANT';

/** A name under which tokens are revoked, within one tenant. */
export interface RevocationKey {
  readonly kind: RevocationKind;
  readonly key: string;
}

/** One token, by `jti`. */
export const tokenKey = (tokenId: string): RevocationKey => ({ kind: 'TOKEN', key: tokenId });

/** All tokens of a session. */
export const sessionKey = (sessionId: string): RevocationKey => ({ kind: 'SESSION', key: sessionId });

/** All tokens of an employee or customer. */
export const principalKey = (kind: 'customer' | 'employee', id: string): RevocationKey => ({
  kind: 'PRINCIPAL',
  key: `${kind}:${id}`,
});

/** All tokens given to a client. */
export const clientKey = (clientId: string): RevocationKey => ({ kind: 'CLIENT', key: clientId });

/** All tokens for a company, or those of one customer for it. */
export const membershipKey = (legalEntityId: string, customerId?: string): RevocationKey => ({
  kind: 'LEGAL_ENTITY_MEMBERSHIP',
  key: customerId === undefined ? legalEntityId : `${legalEntityId}:${customerId}`,
});

/** All tokens with scopes from a group. */
export const groupKey = (groupId: string): RevocationKey => ({ kind: 'GROUP', key: groupId });

/** All tokens of a tenant. */
export const tenantKey = (tenantId: string): RevocationKey => ({ kind: 'TENANT', key: tenantId });
