// Verification of the tokens that we signed (RFC 7519 s.7.2, RFC 8725, RFC 9068 s.4), from memory: no database.
// The checks stand in the order of their cost; every one ends in the same refusal. A token is identified by its
// claims, never by its text, and text that does not re-encode to itself is no token.
// Invariant: what is remembered of a token is what its signature proves. Whatever time or others can change (its end,
// its key, its tenant, revocations) is asked at each use.

import { hash } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { serviceUnavailable } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { SigningKeys, VerificationKey } from '../keys/signing-keys.ts';
import type { Principal } from '../principals/principal.ts';
import type { RevocationKey } from '../revocations/revocation-key.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { LONGEST_ACCESS_TOKEN_SECONDS } from '../tenants/token-life.ts';
import { type Claims, type ClaimsOf, claimsSchema, type TokenKind } from './claims.ts';
import { tokenKinds } from './kinds/index.ts';
import { createRecent } from './recent.ts';
import { revocationKeysOf } from './revocation-keys.ts';
import { faultOf, MOST_TOKEN_CHARACTERS, normalizedType } from './token-text.ts';

const REQUIRED = ['iss', 'aud', 'sub', 'client_id', 'tenant', 'kind', 'scope', 'iat', 'exp', 'jti', 'rev'];

/** How many tokens are remembered: some 20 MB of an ordinary shop's. */
const MOST_REMEMBERED = 5_000;

const refuse = (cause: unknown) => new OAuthError('invalid_token', { cause });

/** A token whose signature was good. Requests share it, so it is frozen. */
interface Verified {
  readonly claims: Claims;
  readonly kid: string;
  readonly key: VerificationKey['key'];
  /** Null for what is no bearer token. */
  readonly principal: Principal | null;
  readonly revocationKeys: readonly RevocationKey[];
}

const BEARERS = ['service', 'employee', 'anonymous', 'customer'] as const satisfies Principal['kind'][];

const isBearer = (claims: Claims): claims is ClaimsOf<Principal['kind']> =>
  (BEARERS as readonly TokenKind[]).includes(claims.kind);

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
  /** Learns of each token what became of it, and whether it had been remembered; `unavailable` is no judgement on it. */
  onVerified?: (result: 'good' | 'refused' | 'unavailable', isRemembered: boolean) => void;
}) {
  const { keys, revocations, tenants, issuer, audience, clockToleranceSeconds, onVerified } = deps;

  const recent = createRecent<Verified>(MOST_REMEMBERED);

  /** @throws UNAUTHENTICATED, one text for every cause; SERVICE_UNAVAILABLE when revocations are not known */
  async function check(token: string, kinds: readonly TokenKind[]): Promise<Verified> {
    // Not even a digest is made of what is too long to be a token (case 12).
    const digest = token.length <= MOST_TOKEN_CHARACTERS ? hash('sha256', token, 'base64') : '';
    const seen = recent.get(digest);
    try {
      const verified = await judge(token, digest, seen, kinds);
      onVerified?.('good', seen !== undefined);
      return verified;
    } catch (error) {
      onVerified?.(error instanceof OAuthError ? 'refused' : 'unavailable', seen !== undefined);
      throw error;
    }
  }

  async function judge(token: string, digest: string, seen: Verified | undefined, kinds: readonly TokenKind[]) {
    const fault = seen ? null : faultOf(token);
    if (fault) throw refuse(fault);
    if (revocations.isStale()) throw serviceUnavailable('the revocation feed is stale');

    const verified = seen ?? (await readSigned(token));
    const { claims, kid, key, revocationKeys } = verified;
    if (keys.verificationKey(kid)?.key !== key) throw refuse('unknown key');
    if (claims.exp <= Math.floor(Date.now() / 1000) - clockToleranceSeconds) throw refuse('expired');
    if (!kinds.includes(claims.kind)) throw refuse(`a token of kind ${claims.kind}`);
    if (!tenants.find(claims.tenant)) throw refuse('the tenant is suspended');
    if (revocations.isRevoked(claims.tenant, revocationKeys, claims.rev)) throw refuse('revoked');
    if (!seen) recent.set(digest, verified);
    return verified;
  }

  async function readSigned(token: string): Promise<Verified> {
    // jose throws more than its own errors (TypeError, RangeError): all of them mean that the token is not good.
    try {
      const { kid } = decodeProtectedHeader(token);
      const known = typeof kid === 'string' ? keys.verificationKey(kid) : null;
      if (!kid || !known) throw refuse('unknown key');
      const { key, algorithm, tenantId } = known;
      const { payload, protectedHeader } = await jwtVerify(token, key, {
        algorithms: [algorithm],
        issuer,
        audience,
        requiredClaims: REQUIRED,
        clockTolerance: clockToleranceSeconds,
        maxTokenAge: LONGEST_ACCESS_TOKEN_SECONDS + clockToleranceSeconds,
      });
      const claims = Object.freeze(claimsSchema.parse(payload));
      if (normalizedType(protectedHeader.typ) !== tokenKinds[claims.kind].typ) throw refuse('of another type');
      if (claims.tenant !== tenantId) throw refuse('signed with a key of another tenant');
      if (claims.exp - claims.iat > LONGEST_ACCESS_TOKEN_SECONDS) throw refuse('lives too long');
      const principal = isBearer(claims) ? Object.freeze(principalOf(claims)) : null;
      return { claims, kid, key, principal, revocationKeys: principal?.revocationKeys ?? revocationKeysOf(claims) };
    } catch (error) {
      throw error instanceof OAuthError ? error : refuse(error);
    }
  }

  return {
    /** The claims of a token of one of these kinds that is good now. @throws as `principal` */
    verify: async <Kind extends TokenKind>(token: string, ...kinds: Kind[]): Promise<ClaimsOf<Kind>> =>
      (await check(token, kinds)).claims as ClaimsOf<Kind>,

    /** The principal of a bearer token, the same object for the same token as long as it is remembered.
     * @throws UNAUTHENTICATED, SERVICE_UNAVAILABLE when revocations are not known */
    principal: async (token: string): Promise<Principal> => (await check(token, BEARERS)).principal!,

    /** Is a principal whose token was good still so? For answers that go on. No I/O. */
    isStillGood: (principal: Principal): boolean =>
      principal.expiresAt > Date.now() / 1000 &&
      !revocations.isStale() &&
      !revocations.isRevoked(principal.tenantId, principal.revocationKeys, principal.rev),
  };
}

/** See `createTokenVerifier`. */
export type TokenVerifier = ReturnType<typeof createTokenVerifier>;
