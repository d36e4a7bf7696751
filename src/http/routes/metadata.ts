// GET /.well-known/oauth-authorization-server (RFC 8414): what a standard client has to know, cacheable.
// Invariant: every URL begins with the configured issuer, never with what a request calls us, and all of it is true.

import { builtInScopes } from '../../modules/scopes/registry.ts';
import { open } from '../../permissions/access.ts';
import { cacheable, sendCacheable } from '../cacheable.ts';
import type { Route } from '../router.ts';
import { grantTypes } from './token.ts';

const BY_SECRET = ['client_secret_basic', 'client_secret_post'];
const OR_BY_NAME = [...BY_SECRET, 'none'];

const metadataOf = (issuer: string) => ({
  issuer,
  token_endpoint: `${issuer}/oauth/token`,
  token_endpoint_auth_methods_supported: OR_BY_NAME,
  jwks_uri: `${issuer}/.well-known/jwks.json`,
  scopes_supported: builtInScopes,
  grant_types_supported: grantTypes,
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
    handle: (req, res) => sendCacheable(req, res, document),
  };
}
