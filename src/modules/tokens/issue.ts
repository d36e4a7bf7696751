// Issuing of tokens (RFC 9068). Everything that a token says was decided by a grant; nothing is decided here but how long
// it lives.

import { randomUUID } from 'node:crypto';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { OwnClaims, TokenKind } from './claims.ts';
import type { ContextEncryption, PersonalContext } from './context-encryption.ts';
import { tokenKinds } from './kinds/index.ts';
import type { SignToken } from './sign.ts';
import { MOST_TOKEN_CHARACTERS } from './token-text.ts';

/** A signed token. */
export interface IssuedToken {
  readonly token: string;
  readonly tokenId: string;
  /** Seconds from now. */
  readonly expiresIn: number;
  readonly expiresAt: Date;
  /** Granted, sorted. */
  readonly scopes: readonly string[];
}

/** What a token of a kind is to say. */
export interface TokenRequest<Kind extends TokenKind> {
  readonly kind: Kind;
  readonly tenant: Tenant;
  readonly claims: Omit<OwnClaims<Kind>, 'ctx'>;
  readonly scopes: readonly string[];
  readonly rev: number;
  /** Goes into `ctx`, encrypted. */
  readonly person?: Omit<PersonalContext, 'jti'>;
  /** Where what the token was got with ends before the kind's lifetime. */
  readonly lifetimeSeconds?: number;
}

/** Issuing of tokens. */
export function createTokenIssuer(deps: {
  contextEncryption: ContextEncryption;
  sign: SignToken;
  audience: string;
  onIssued?: (kind: TokenKind) => void;
}) {
  return {
    /** @throws INVALID_SCOPE when so many scopes make a token longer than any service accepts */
    async issue<Kind extends TokenKind>(request: TokenRequest<Kind>): Promise<IssuedToken> {
      const { tenant, rev } = request;
      const { kind, typ, lifetimeSeconds } = tokenKinds[request.kind];
      const tokenId = randomUUID();
      const iat = Math.floor(Date.now() / 1000);
      const expiresIn = Math.min(lifetimeSeconds(tenant.settings), request.lifetimeSeconds ?? Number.POSITIVE_INFINITY);
      const scopes = [...request.scopes].sort();
      const ctx = request.person && deps.contextEncryption.encrypt(tenant.id, { jti: tokenId, ...request.person });
      const token = await deps.sign(tenant.id, typ, {
        ...request.claims,
        ...(ctx ? { ctx } : {}),
        aud: deps.audience,
        tenant: tenant.id,
        kind,
        scope: scopes.join(' '),
        iat,
        exp: iat + expiresIn,
        jti: tokenId,
        rev,
      });
      if (token.length > MOST_TOKEN_CHARACTERS) {
        throw new OAuthError('invalid_scope', {
          message: 'So many scopes do not fit into one token. Ask for fewer.',
          reason: 'TOKEN_TOO_LONG',
        });
      }
      deps.onIssued?.(kind);
      return { token, tokenId, expiresIn, expiresAt: new Date((iat + expiresIn) * 1000), scopes };
    },
  };
}

/** See `createTokenIssuer`. */
export type TokenIssuer = ReturnType<typeof createTokenIssuer>;
