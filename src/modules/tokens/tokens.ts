// What is ever done with tokens that are signed, put together: issuing, verifying, and asserting to services behind a
// gateway. They share the keys, the issuer and what is remembered.

import type { SigningKeys } from '../keys/signing-keys.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { createIdentityAssertions } from './assert-identity.ts';
import type { ContextEncryption } from './context-encryption.ts';
import { createTokenIssuer } from './issue.ts';
import { createTokenSigner } from './sign.ts';
import { createTokenVerifier } from './verify.ts';

/** Tokens of every tenant. */
export function createTokens(
  deps: {
    contextEncryption: ContextEncryption;
    keys: SigningKeys;
    revocations: Revocations;
    tenants: Tenants;
    issuer: string;
    audience: string;
    clockToleranceSeconds: number;
  } & Pick<Parameters<typeof createTokenIssuer>[0], 'onIssued'> &
    Pick<Parameters<typeof createTokenVerifier>[0], 'onVerified'>,
) {
  const sign = createTokenSigner(deps);
  return {
    identityAssertions: createIdentityAssertions({ ...deps, sign }),
    tokens: createTokenIssuer({ ...deps, sign }),
    verifier: createTokenVerifier(deps),
  };
}
