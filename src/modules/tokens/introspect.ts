// Introspection (RFC 7662): what a token says, if it is good right now, for a caller of the same tenant. Anything
// else, from garbage to another tenant's token, is inactive and nothing more (s.2.2).

import type { Ctx } from '../../context.ts';
import { forbidden } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { Client, Clients } from '../clients/clients.ts';
import { createRate } from '../limits/rates.ts';
import { satisfies } from '../scopes/matching.ts';
import type { RefreshTokens } from '../sessions/refresh-tokens.ts';
import type { Claims } from './claims.ts';
import type { TokenVerifier } from './verify.ts';

/** A kind of token as introspection tells it. */
export type IntrospectedKind = 'SERVICE' | 'EMPLOYEE' | 'ANONYMOUS' | 'CUSTOMER' | 'SAAS' | 'REFRESH';

/** What a good token says. */
export interface ActiveToken {
  readonly active: true;
  readonly kind: IntrospectedKind;
  readonly tenant: string;
  readonly scopes: readonly string[];
  readonly subject: string;
  readonly clientId: string | null;
  readonly sessionId: string | null;
  readonly legalEntityId: string | null;
  readonly issuedAt: Date | null;
  readonly expiresAt: Date;
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly actor: string | null;
}

/** The answer of introspection. */
export type Introspection = ActiveToken | { readonly active: false };

const INTROSPECT = 'oauth.token_introspect';
const inactive: Introspection = { active: false };

const kinds = {
  service: 'SERVICE',
  employee: 'EMPLOYEE',
  anonymous: 'ANONYMOUS',
  customer: 'CUSTOMER',
  saas: 'SAAS',
  'anonymous-refresh': 'REFRESH',
} as const satisfies Record<Claims['kind'], IntrospectedKind>;

function fromClaims(claims: Claims): ActiveToken {
  return {
    active: true,
    kind: kinds[claims.kind],
    tenant: claims.tenant,
    scopes: claims.scope === '' ? [] : claims.scope.split(' '),
    subject: claims.sub,
    clientId: claims.client_id,
    sessionId: 'session_id' in claims ? claims.session_id : null,
    legalEntityId: 'legalEntityId' in claims ? (claims.legalEntityId ?? null) : null,
    issuedAt: new Date(claims.iat * 1000),
    expiresAt: new Date(claims.exp * 1000),
    issuer: claims.iss,
    audience: [claims.aud],
    actor: 'act' in claims ? (claims.act?.sub ?? null) : null,
  };
}

/** Introspection of tokens. */
export function createIntrospection(deps: {
  clients: Clients;
  refreshTokens: RefreshTokens;
  verifier: TokenVerifier;
  issuer: string;
  audience: string;
}) {
  const { clients, refreshTokens, verifier, issuer, audience } = deps;
  const perClient = createRate({ limit: 6_000, windowSeconds: 60 });

  async function read(ctx: { tenantId: string }, token: string): Promise<Introspection> {
    const family = await refreshTokens.find(token);
    if (family) {
      if (!family.isLive || family.isSpent || family.tenantId !== ctx.tenantId) return inactive;
      return {
        active: true,
        kind: 'REFRESH',
        tenant: family.tenantId,
        scopes: [],
        subject: family.owner.id,
        clientId: family.clientId,
        sessionId: family.sessionId,
        legalEntityId: family.legalEntityId,
        issuedAt: null,
        expiresAt: family.expiresAt,
        issuer,
        audience: [audience],
        actor: null,
      };
    }
    try {
      const claims = await verifier.verify(
        token,
        'service',
        'employee',
        'anonymous',
        'customer',
        'saas',
        'anonymous-refresh',
      );
      return claims.tenant === ctx.tenantId ? fromClaims(claims) : inactive;
    } catch (error) {
      if (error instanceof OAuthError) return inactive;
      throw error;
    }
  }

  /** The caller's own: of the same person, guest or client. */
  function isOwn(ctx: Ctx, token: ActiveToken): boolean {
    const { principal } = ctx;
    if (!principal) return false;
    if (principal.kind === 'service') return token.subject === principal.clientId && token.kind === 'SERVICE';
    return token.sessionId === principal.sessionId;
  }

  /** @throws FORBIDDEN */
  function requireScope(scopes: readonly string[], found: Introspection, isOwn: (token: ActiveToken) => boolean): void {
    if (!satisfies(scopes, INTROSPECT) && !(found.active && isOwn(found)))
      throw forbidden([[INTROSPECT]], [INTROSPECT]);
  }

  return {
    /** @throws FORBIDDEN without `oauth.token_introspect`, unless the token is the caller's own */
    async introspect(ctx: Ctx, token: string): Promise<Introspection> {
      const found = await read(ctx, token);
      requireScope(ctx.principal?.scopes ?? [], found, (token) => isOwn(ctx, token));
      return found;
    },

    /** For a client that has authenticated (RFC 7662 s.2.1), by the same rule. @throws FORBIDDEN, RATE_LIMITED */
    async introspectFor(client: Client, token: string): Promise<Introspection> {
      perClient.take(client.id);
      const found = await read(client, token);
      requireScope(clients.scopesOf(client), found, ({ kind, subject }) => kind === 'SERVICE' && subject === client.id);
      return found;
    },
  };
}

/** See `createIntrospection`. */
export type TokenIntrospection = ReturnType<typeof createIntrospection>;
