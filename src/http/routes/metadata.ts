// GET /.well-known/oauth-authorization-server (RFC 8414): what a standard client has to know, cacheable.
// Invariant: every URL begins with the configured issuer, never with what a request calls us, and all of it is true.

import { z } from 'zod';
import { builtInScopes } from '../../modules/scopes/registry.ts';
import { open } from '../../permissions/access.ts';
import { cacheable, sendCacheable, UNCHANGED } from '../cacheable.ts';
import type { Description } from '../description.ts';
import { otherRefusals } from '../oauth-answers.ts';
import type { Route } from '../router.ts';
import { grantTypes } from './token.ts';

const BY_SECRET = ['client_secret_basic', 'client_secret_post'];
const OR_BY_NAME = [...BY_SECRET, 'none'];

const names = z.array(z.string());
const metadata = z
  .object({
    issuer: z.string(),
    token_endpoint: z.string(),
    token_endpoint_auth_methods_supported: names,
    jwks_uri: z.string(),
    scopes_supported: names,
    grant_types_supported: names,
    response_types_supported: names,
    authorization_response_iss_parameter_supported: z.boolean(),
    introspection_endpoint: z.string(),
    introspection_endpoint_auth_methods_supported: names,
    revocation_endpoint: z.string(),
    revocation_endpoint_auth_methods_supported: names,
  })
  .meta({ id: 'ServerMetadata', description: 'RFC 8414 s.2.' });

const describes: Description = {
  summary: 'What a standard OAuth client has to know',
  tag: 'OAuth',
  answers: { 200: { text: 'The document.', schema: metadata }, 304: UNCHANGED, ...otherRefusals },
};

const metadataOf = (issuer: string): z.infer<typeof metadata> => ({
  issuer,
  token_endpoint: `${issuer}/oauth/token`,
  token_endpoint_auth_methods_supported: OR_BY_NAME,
  jwks_uri: `${issuer}/.well-known/jwks.json`,
  scopes_supported: [...builtInScopes],
  grant_types_supported: [...grantTypes],
  // There is no authorization endpoint, so nothing is answered there, with `iss` (RFC 9207) or without.
  response_types_supported: [],
  authorization_response_iss_parameter_supported: false,
  introspection_endpoint: `${issuer}/oauth/introspect`,
  introspection_endpoint_auth_methods_supported: BY_SECRET,
  revocation_endpoint: `${issuer}/oauth/revoke`,
  revocation_endpoint_auth_methods_supported: OR_BY_NAME,
});

/** The document, at its place for the issuer: a path of the issuer comes after the well-known one (s.3.1). */
export function createMetadataRoute({ issuer }: { issuer: string }): Route {
  const document = cacheable(JSON.stringify(metadataOf(issuer)));
  const { pathname } = new URL(issuer);
  return {
    methods: ['GET', 'HEAD'],
    path: `/.well-known/oauth-authorization-server${pathname === '/' ? '' : pathname}`,
    access: open,
    describes,
    handle: (req, res) => sendCacheable(req, res, document),
  };
}
