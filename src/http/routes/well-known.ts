// GET /.well-known/jwks.json (RFC 7517): the public keys, from memory, cacheable; `?tenant=` gives those of one tenant,
// since a tenant's key vouches for that tenant only and the set does not say whose is whose.
// Invariant: only members that are public for their key type leave, whatever the set holds.

import { z } from 'zod';
import { open } from '../../permissions/access.ts';
import { cacheable, sendCacheable, UNCHANGED } from '../cacheable.ts';
import type { Description } from '../description.ts';
import { otherRefusals } from '../oauth-answers.ts';
import type { Route } from '../router.ts';

const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg', 'use'] as const;

const describes: Description = {
  summary: 'The public keys that verify our tokens',
  tag: 'OAuth',
  parameters: [{ name: 'tenant', in: 'query', text: 'Only the keys that vouch for this tenant.' }],
  answers: {
    200: {
      text: 'The key set.',
      schema: z
        .object({ keys: z.array(z.object({ kty: z.string(), kid: z.string(), alg: z.string(), use: z.string() })) })
        .meta({ id: 'KeySet', description: 'RFC 7517 s.5. Members of a key beside these depend on its type.' }),
    },
    304: UNCHANGED,
    ...otherRefusals,
  },
};

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
      describes,
      handle(req, res, call) {
        sendCacheable(req, res, current(new URLSearchParams(call.query).get('tenant')));
      },
    },
  ];
}
