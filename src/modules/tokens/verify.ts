// Verification of the tokens that we signed (RFC 7519 s.7.2, RFC 8725, RFC 9068 s.4), from memory: no database.
// The checks stand in the order of their cost; every one ends in the same refusal. A token is identified by its
// claims, never by its text, and text that does not re-encode to itself is no token.

import { decodeProtectedHeader, jwtVerify } from 'jose';
import { serviceUnavailable } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { SigningKeys } from '../keys/signing-keys.ts';
import type { Principal } from '../principals/principal.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { LONGEST_ACCESS_TOKEN_SECONDS } from '../tenants/token-life.ts';
import { type ClaimsOf, claimsSchema, type TokenKind } from './claims.ts';
import { tokenKinds } from './kinds/index.ts';
import { revocationKeysOf } from './revocation-keys.ts';
import { faultOf, normalizedType } from './token-text.ts';

const REQUIRED = ['iss', 'aud', 'sub', 'client_id', 'tenant', 'kind', 'scope', 'iat', 'exp', 'jti', 'rev'];

const refuse = (cause: unknown) => new OAuthError('invalid_token', { cause });

/** Whom the claims of an access token speak for. */
export function principalOf(claims: ClaimsOf<Principal['kind']>): Principal {
  const bearer = {
    tenantId: claims.tenant,
    tokenId: claims.jti,
    clientId: claims.client_id,
    scopes: claims.scope === '' ? [] : claims.scope.split(' '),
    issuedAt: claims.iat,
    expiresAt: claims.exp,
    rev: claims.rev,
    revocationKeys: revocationKeysOf(claims),
  };
  switch (claims.kind) {
    case 'service':
      return { ...bearer, kind: 'service' };
    case 'employee':
      return { ...bearer, kind: 'employee', employeeId: claims.sub, sessionId: claims.session_id };
    case 'anonymous':
      return {
        ...bearer,
        kind: 'anonymous',
        sessionId: claims.session_id,
        context: claims.context,
        sessionStartedAt: claims.session_started_at,
      };
    case 'customer':
      return {
        ...bearer,
        kind: 'customer',
        customerId: claims.sub,
        sessionId: claims.session_id,
        legalEntityId: claims.legalEntityId ?? null,
        actorId: claims.act?.sub ?? null,
      };
  }
}

/** Verification of our tokens. */
export function createTokenVerifier(deps: {
  keys: SigningKeys;
  revocations: Revocations;
  tenants: Tenants;
  issuer: string;
  audience: string;
  clockToleranceSeconds: number;
  /** Learns of each token what became of it; `unavailable` is no judgement on it. */
  onVerified?: (result: 'good' | 'refused' | 'unavailable') => void;
}) {
  const { keys, revocations, tenants, issuer, audience, clockToleranceSeconds, onVerified } = deps;

  /** The claims of a token of one of these kinds that is good now. @throws UNAUTHENTICATED, one text for every cause */
  async function verify<Kind extends TokenKind>(token: string, ...kinds: Kind[]): Promise<ClaimsOf<Kind>> {
    try {
      const claims = await check(token, kinds);
      onVerified?.('good');
      return claims;
    } catch (error) {
      onVerified?.(error instanceof OAuthError ? 'refused' : 'unavailable');
      throw error;
    }
  }

  async function check<Kind extends TokenKind>(token: string, kinds: readonly Kind[]): Promise<ClaimsOf<Kind>> {
    const fault = faultOf(token);
    if (fault) throw refuse(fault);
    if (revocations.isStale()) throw serviceUnavailable('the revocation feed is stale');

    const claims = await readSigned(token, kinds);
    if (!tenants.find(claims.tenant)) throw refuse('the tenant is suspended');
    if (revocations.isRevoked(claims.tenant, revocationKeysOf(claims), claims.rev)) throw refuse('revoked');
    return claims;
  }

  async function readSigned<Kind extends TokenKind>(token: string, kinds: readonly Kind[]): Promise<ClaimsOf<Kind>> {
    // jose throws more than its own errors (TypeError, RangeError): all of them mean that the token is not good.
    try {
      const { kid } = decodeProtectedHeader(token);
      const key = typeof kid === 'string' ? keys.verificationKey(kid) : null;
      if (!key) throw refuse('unknown key');
      const { payload, protectedHeader } = await jwtVerify(token, key.key, {
        algorithms: [key.algorithm],
        issuer,
        audience,
        requiredClaims: REQUIRED,
        clockTolerance: clockToleranceSeconds,
        maxTokenAge: LONGEST_ACCESS_TOKEN_SECONDS + clockToleranceSeconds,
      });
      const claims = claimsSchema.parse(payload);
      if (!kinds.includes(claims.kind as Kind)) throw refuse(`a token of kind ${claims.kind}`);
      if (normalizedType(protectedHeader.typ) !== tokenKinds[claims.kind].typ) throw refuse('of another type');
      if (claims.tenant !== key.tenantId) throw refuse('signed with a key of another tenant');
      if (claims.exp - claims.iat > LONGEST_ACCESS_TOKEN_SECONDS) throw refuse('lives too long');
      return claims as ClaimsOf<Kind>;
    } catch (error) {
      throw error instanceof OAuthError ? error : refuse(error);
    }
  }

  return {
    verify,

    /** The principal of a bearer token. @throws UNAUTHENTICATED, SERVICE_UNAVAILABLE when revocations are not known */
    principal: async (token: string): Promise<Principal> =>
      principalOf(await verify(token, 'service', 'employee', 'anonymous', 'customer')),

    /** Is a principal whose token was good still so? For answers that go on. No I/O. */
    isStillGood: (principal: Principal): boolean =>
      principal.expiresAt > Date.now() / 1000 &&
      !revocations.isStale() &&
      !revocations.isRevoked(principal.tenantId, principal.revocationKeys, principal.rev),
  };
}

/** See `createTokenVerifier`. */
export type TokenVerifier = ReturnType<typeof createTokenVerifier>;
