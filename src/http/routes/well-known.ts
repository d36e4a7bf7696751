// GET /.well-known/jwks.json (RFC 7517): the public keys, from memory, cacheable; `?tenant=` gives those of one tenant,
// since a tenant's key vouches for that tenant only and the set does not say whose is whose.
// Invariant: only members that are public for their key type leave, whatever the set holds.

import { open } from '../../permissions/access.ts';
import { cacheable, sendCacheable } from '../cacheable.ts';
import type { Route } from '../router.ts';

const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg', 'use'] as const;

/** A key as JWKS has it. */
export type PublicJwk = Readonly<Record<string, unknown>>;

/** `publicJwks` answers from memory: verifiers ask while the database is away, too. */
export function createWellKnownRoutes(deps: {
  publicJwks: (tenantId: string | null) => { keys: readonly PublicJwk[] };
}): Route[] {
  let last = { text: '', etag: '' };
  const current = (tenantId: string | null) => {
    const keys = deps
      .publicJwks(tenantId)
      .keys.map((key) =>
        Object.fromEntries(PUBLIC_MEMBERS.flatMap((name) => (name in key ? [[name, key[name]]] : []))),
      );
    const text = JSON.stringify({ keys });
    if (text === last.text) return last;
    const made = cacheable(text);
    // A tenant's set is short: only the long one is worth remembering.
    if (tenantId === null) last = made;
    return made;
  };

  return [
    {
      methods: ['GET', 'HEAD'],
      path: '/.well-known/jwks.json',
      access: open,
      handle(req, res, call) {
        sendCacheable(req, res, current(new URLSearchParams(call.query).get('tenant')));
      },
    },
  ];
}
