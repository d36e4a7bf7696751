// The endpoints of OAuth, and the document that tells of them.

import type { ClientAuthentication } from '../../modules/clients/client-authentication.ts';
import type { Grants } from '../../modules/grants/index.ts';
import type { RequestToken } from '../../modules/grants/request-token.ts';
import type { TokenIntrospection } from '../../modules/tokens/introspect.ts';
import type { TokenRevocation } from '../../modules/tokens/revoke.ts';
import type { Route } from '../router.ts';
import { createIntrospectRoute } from './introspect.ts';
import { createMetadataRoute } from './metadata.ts';
import { createRevokeRoute } from './revoke.ts';
import { createTokenRoute } from './token.ts';

/** All of them. */
export const createOauthRoutes = (deps: {
  audience: string;
  clientAuthentication: ClientAuthentication;
  grants: Grants;
  introspection: TokenIntrospection;
  issuer: string;
  requestToken: RequestToken;
  tokenRevocation: TokenRevocation;
}): Route[] => [
  createTokenRoute(deps),
  createIntrospectRoute(deps),
  createRevokeRoute(deps),
  createMetadataRoute(deps),
];
