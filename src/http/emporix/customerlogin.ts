// /customerlogin/auth/anonymous/…: a guest's tokens, for whoever names a storefront client.

import { badInput } from '../../errors/domain-error.ts';
import type { Grants } from '../../modules/grants/index.ts';
import type { RequestToken } from '../../modules/grants/request-token.ts';
import { open } from '../../permissions/access.ts';
import type { Route } from '../router.ts';
import { publicRoute, type Query } from './emporix-route.ts';
import { guestBody } from './emporix-tokens.ts';
import { customerErrors } from './families.ts';

/** Old clients name it the old way. */
const tenantIn = (query: Query): string =>
  query.value('tenant') ?? query.value('hybris-tenant') ?? query.need('tenant');

const client = {
  tenant: 'Or hybris-tenant, as old clients name it.',
  'client_id*': 'A storefront client.',
};

/** Both routes. */
export const createCustomerLoginRoutes = ({
  grants,
  requestToken,
}: {
  grants: Grants;
  requestToken: RequestToken;
}): Route[] => [
  publicRoute({
    method: 'GET',
    path: '/customerlogin/auth/anonymous/login',
    access: open,
    errors: customerErrors,
    says: {
      summary: 'Begin as a guest',
      query: {
        ...client,
        siteCode: 'Of the session.',
        currency: 'Of the session.',
        language: 'Of the session.',
        targetLocation: 'Of the session.',
      },
    },
    async answer({ ctx, query }) {
      const tenant = tenantIn(query);
      const tokens = await requestToken(ctx, grants.anonymous, {
        tenant,
        clientId: query.need('client_id'),
        siteCode: query.value('siteCode'),
        currency: query.value('currency'),
        language: query.value('language'),
        targetLocation: query.value('targetLocation'),
      });
      return { status: 200, body: guestBody(tokens, tenant, true) };
    },
  }),
  publicRoute({
    method: 'GET',
    path: '/customerlogin/auth/anonymous/refresh',
    access: open,
    errors: customerErrors,
    says: {
      summary: 'Go on as a guest',
      query: { ...client, refresh_token: 'One of the two is needed.', anonymous_token: 'One of the two is needed.' },
    },
    async answer({ ctx, query }) {
      const tenant = tenantIn(query);
      const clientId = query.need('client_id');
      const refreshToken = query.value('refresh_token');
      const anonymousToken = query.value('anonymous_token');
      if (refreshToken === undefined && anonymousToken === undefined)
        throw badInput('refresh_token', 'The parameter is missing.');
      const token = refreshToken === undefined ? { anonymousToken } : { refreshToken };
      const tokens = await requestToken(ctx, grants.refreshAnonymous, { ...token, tenant, clientId });
      return { status: 200, body: guestBody(tokens, tenant, refreshToken !== undefined) };
    },
  }),
];
