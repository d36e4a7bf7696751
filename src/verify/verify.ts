// The entry point `scopeward/verify`, for services that are called with Scopeward's tokens: offline verification
// (RFC 7519 s.7.2, RFC 8725, RFC 9068 s.4) and the revocations that end a token before its time.
// Invariants: the checks are those of modules/tokens/verify.ts, in the order of their cost; `jose` is all that is needed.
// What is remembered of a token is what its signature proves: its end, its key and revocations are asked at each use.

import { hash } from 'node:crypto';
import type { RevocationKey } from '../modules/revocations/revocation-key.ts';
import { LONGEST_ACCESS_TOKEN_SECONDS } from '../modules/tenants/token-life.ts';
import { tokenKinds } from '../modules/tokens/kinds/index.ts';
import { createRecent } from '../modules/tokens/recent.ts';
import { revocationKeysOf } from '../modules/tokens/revocation-keys.ts';
import { MOST_TOKEN_CHARACTERS } from '../modules/tokens/token-text.ts';
import { AccessError, unauthenticated, unavailable } from './access-error.ts';
import { type Caller, requireCaller, saasRequired } from './caller.ts';
import { callerOfClaims, requireSameCustomer } from './caller-of-claims.ts';
import { type AccessClaims, readClaims } from './claims.ts';
import { createKeySet, type VerificationKey } from './key-set.ts';
import { createRevocationFeed, type Revocation } from './revocation-feed.ts';
import { createScopewardApi } from './scopeward-api.ts';
import { requireTokenText, signedClaims } from './signed-claims.ts';

export { AccessError, type AccessErrorCode, type AccessErrorDetails } from './access-error.ts';
export {
  type AssertedCaller,
  type AssertionVerifier,
  type AssertionVerifierOptions,
  createAssertionVerifier,
  requireSaasChecked,
} from './assertion.ts';
export {
  type Caller,
  type CallerKind,
  hasScopes,
  requireCaller,
  requireCompany,
  requireKind,
  requireScopes,
} from './caller.ts';
export type { Revocation } from './revocation-feed.ts';

/** Whose tokens are good, and how revocations are followed. */
export interface VerifierOptions {
  /** `iss`, exactly. */
  readonly issuer: string;
  /** `aud`, exactly. Default: the issuer, as Scopeward's own default is. */
  readonly audience?: string;
  /** The merchant. Tokens of any other are refused; a service of several has a verifier for each. */
  readonly tenant: string;
  /** A client of that tenant with the scope `oauth.revocation_read`. */
  readonly client: { readonly id: string; readonly secret: string };
  /** Where Scopeward is reached; default: at the issuer. */
  readonly url?: string;
  /** How long it may be unknown whether anything was revoked; default 30. */
  readonly staleAfterSeconds?: number;
  /** What happens to good tokens then: SERVICE_UNAVAILABLE (default), or they are taken unheard. */
  readonly whenStale?: 'refuse' | 'accept';
  /** Clocks may be apart by so much; 30 at most, default 5. */
  readonly clockToleranceSeconds?: number;
  /** Hears of every revocation, in order and none twice: for whoever keeps something of its own per session. */
  readonly onRevocation?: (entry: Revocation) => void;
  /** Hears of the first failure after all was well. Default: a warning of the process. */
  readonly onProblem?: (problem: unknown) => void;
}

/** Verifies the tokens of one tenant. Make one per process and `close` it at the end. */
export interface Verifier {
  /** Resolves when keys and revocations are known; until then every token is SERVICE_UNAVAILABLE. */
  readonly ready: Promise<void>;
  /** Who calls. @throws AccessError UNAUTHENTICATED for whatever is not a good bearer token, SERVICE_UNAVAILABLE */
  verify(accessToken: string): Promise<Caller>;
  /**
   * Checkout: the `saas-token` beside the bearer is good, and of the same customer, session and company.
   * @throws AccessError FORBIDDEN `SAAS_TOKEN_REQUIRED` also without one; UNAUTHENTICATED for nobody, SERVICE_UNAVAILABLE
   */
  requireSaas(caller: Caller | null, saasToken: string | null | undefined): Promise<void>;
  /** Is a caller's token, which was good, good still? For answers that go on. No I/O. */
  isStillGood(caller: Caller): boolean;
  /** Is it unknown for too long whether anything was revoked? For a readiness probe. */
  isStale(): boolean;
  /** Stops following. */
  close(): void;
}

const REQUIRED = ['iss', 'aud', 'sub', 'client_id', 'tenant', 'kind', 'scope', 'iat', 'exp', 'jti', 'rev'];

/** How many tokens are remembered: some 20 MB of an ordinary shop's. */
const MOST_REMEMBERED = 5_000;

/** A token whose signature was good. */
interface Verified {
  readonly claims: AccessClaims;
  readonly kid: string;
  readonly key: VerificationKey;
  /** Null for what is no bearer token. */
  readonly caller: Caller | null;
  readonly revocationKeys: readonly RevocationKey[];
}

const warn = (problem: unknown) => process.emitWarning(String(problem), 'ScopewardWarning');

/** Starts to follow, and verifies. @throws RangeError for a tolerance that would let ended tokens live on */
export function createVerifier(options: VerifierOptions): Verifier {
  const { issuer, audience = issuer, tenant, client, whenStale = 'refuse', onProblem = warn } = options;
  const { staleAfterSeconds = 30, clockToleranceSeconds = 5, onRevocation = () => {} } = options;
  if (!(clockToleranceSeconds >= 0 && clockToleranceSeconds <= 30))
    throw new RangeError('clockToleranceSeconds: 0 to 30');
  if (!(staleAfterSeconds > 0)) throw new RangeError('staleAfterSeconds: above 0');
  const url = (options.url ?? issuer).replace(/\/$/, '');
  const ending = new AbortController();
  const at = { url, tenant, stopping: ending.signal, onProblem };
  const keys = createKeySet(at);
  const api = createScopewardApi({ ...at, client });
  const feed = createRevocationFeed({ ...at, api, onRevocation, staleAfterMs: staleAfterSeconds * 1000 });

  const recent = createRecent<Verified>(MOST_REMEMBERED);
  const verifiedOf = new WeakMap<Caller, Verified>();
  const isUnknown = () => whenStale === 'refuse' && feed.isStale();
  const isRevoked = ({ claims, revocationKeys }: Verified) => feed.isRevoked(revocationKeys, claims.rev);

  const expected = {
    issuer,
    audience,
    tenant,
    requiredClaims: REQUIRED,
    longestSeconds: LONGEST_ACCESS_TOKEN_SECONDS,
    clockToleranceSeconds,
  };

  async function readSigned(token: string, typ: string): Promise<Verified> {
    const { payload, kid, key } = await signedClaims(keys, token, { ...expected, typ });
    const claims = readClaims(payload);
    if (!claims || tokenKinds[claims.kind].typ !== typ) throw unauthenticated('not the claims of such a token');
    const caller = claims.kind === 'saas' ? null : callerOfClaims(claims);
    const verified = { claims, kid, key, caller, revocationKeys: revocationKeysOf(claims) };
    if (caller) verifiedOf.set(caller, verified);
    return verified;
  }

  async function check(token: string, typ: 'at+jwt' | 'saas+jwt'): Promise<Verified> {
    const digest = token.length <= MOST_TOKEN_CHARACTERS ? hash('sha256', token, 'base64') : '';
    const known = recent.get(digest);
    // The set of keys may have come anew since: then the signature is checked anew, too.
    const seen = known && known.key === (await keys.find(known.kid)) ? known : null;
    if (!seen) requireTokenText(token);
    if (isUnknown()) throw unavailable('the revocations are not known');
    const verified = seen ?? (await readSigned(token, typ));
    if (tokenKinds[verified.claims.kind].typ !== typ) throw unauthenticated('a token of another type');
    if (verified.claims.exp <= Math.floor(Date.now() / 1000) - clockToleranceSeconds) throw unauthenticated('expired');
    if (isRevoked(verified)) throw unauthenticated('revoked');
    if (!seen) recent.set(digest, verified);
    return verified;
  }

  return {
    ready: feed.ready.then(keys.loaded),

    async verify(accessToken) {
      const { caller } = await check(accessToken, 'at+jwt');
      if (!caller) throw unauthenticated('a saas token');
      return caller;
    },

    async requireSaas(caller, saasToken) {
      const someone = requireCaller(caller);
      if (!saasToken) throw saasRequired();
      const { claims } = await check(saasToken, 'saas+jwt').catch((error) => {
        throw error instanceof AccessError && error.code === 'UNAUTHENTICATED' ? saasRequired() : error;
      });
      requireSameCustomer(someone, claims);
    },

    isStillGood(caller) {
      const verified = verifiedOf.get(caller);
      return verified !== undefined && verified.claims.exp > Date.now() / 1000 && !isUnknown() && !isRevoked(verified);
    },

    isStale: feed.isStale,
    close: () => ending.abort(),
  };
}
