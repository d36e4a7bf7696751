// Verification of `X-Identity-Assertion`, for services behind a gateway that do not trust the network: who calls is what
// the gateway's check signed, and every other header of identity is only paper. It needs the public keys and no client.
// Invariant: an assertion is good for its 60 seconds and not one more, and whatever is not a good one is nobody.

import { ASSERTION_SECONDS, ASSERTION_TYPE, assertionAudience } from '../modules/tokens/identity-assertion.ts';
import { unauthenticated } from './access-error.ts';
import { readAssertion } from './assertion-claims.ts';
import { type Caller, saasRequired } from './caller.ts';
import { createKeySet } from './key-set.ts';
import { requireTokenText, signedClaims } from './signed-claims.ts';

/** Whose assertions are good. */
export interface AssertionVerifierOptions {
  /** `iss`, exactly. */
  readonly issuer: string;
  /** The audience of Scopeward's tokens, which that of assertions follows from. Default: the issuer. */
  readonly audience?: string;
  /** The merchant. Assertions of any other are refused. */
  readonly tenant: string;
  /** Where Scopeward is reached; default: at the issuer. */
  readonly url?: string;
  /** How far this clock may be behind Scopeward's, 0 to 30, default 5. Past its end no assertion is good. */
  readonly clockToleranceSeconds?: number;
  /** Hears of the first failure after all was well. Default: a warning of the process. */
  readonly onProblem?: (problem: unknown) => void;
}

/** Who calls, as the gateway's check says. `tokenId` and `expiresAt` are the assertion's. */
export interface AssertedCaller extends Caller {
  /** The check asked for the `saas-token`, and it was the caller's. */
  readonly hasSaas: boolean;
}

/** Verifies the assertions of one tenant. Make one per process and `close` it at the end. */
export interface AssertionVerifier {
  /** Resolves when the keys are known. */
  readonly ready: Promise<void>;
  /**
   * Who calls; `header`: the value of `X-Identity-Assertion`.
   * @throws AccessError UNAUTHENTICATED without one, and for what is not a good one; SERVICE_UNAVAILABLE without keys
   */
  verify(header: string | string[] | null | undefined): Promise<AssertedCaller>;
  /** Stops asking for keys. */
  close(): void;
}

const REQUIRED = ['iss', 'aud', 'sub', 'client_id', 'tenant', 'kind', 'scope', 'iat', 'exp', 'jti'];

const warn = (problem: unknown) => process.emitWarning(String(problem), 'ScopewardWarning');

/** Checkout behind a gateway that asked for `saas=required`. @throws AccessError FORBIDDEN `SAAS_TOKEN_REQUIRED` */
export function requireSaasChecked(caller: AssertedCaller): void {
  if (!caller.hasSaas) throw saasRequired();
}

/** Starts with the keys, and verifies. @throws RangeError for a tolerance out of bounds */
export function createAssertionVerifier(options: AssertionVerifierOptions): AssertionVerifier {
  const { issuer, audience = issuer, tenant, clockToleranceSeconds = 5, onProblem = warn } = options;
  if (!(clockToleranceSeconds >= 0 && clockToleranceSeconds <= 30))
    throw new RangeError('clockToleranceSeconds: 0 to 30');
  const ending = new AbortController();
  const url = (options.url ?? issuer).replace(/\/$/, '');
  const keys = createKeySet({ url, tenant, stopping: ending.signal, onProblem });
  const expected = {
    typ: ASSERTION_TYPE,
    issuer,
    audience: assertionAudience(audience),
    tenant,
    requiredClaims: REQUIRED,
    longestSeconds: ASSERTION_SECONDS,
    clockToleranceSeconds,
  };

  return {
    ready: keys.loaded(),

    async verify(header) {
      if (!header) throw unauthenticated('no assertion', false);
      if (typeof header !== 'string') throw unauthenticated('more than one assertion');
      requireTokenText(header);
      const caller = readAssertion((await signedClaims(keys, header, expected)).payload);
      // The tolerance is for a beginning that seems to lie ahead; nothing needs a longer end.
      if (!caller || caller.expiresAt.getTime() <= Date.now()) throw unauthenticated('ended, or not its claims');
      return caller;
    },

    close: () => ending.abort(),
  };
}
