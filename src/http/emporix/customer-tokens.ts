// /customer/{tenant}/…: a shopper signs in, goes on, chooses a company and leaves. All by the grants of every other door.

import type { CustomerTokens } from '../../modules/grants/customer-tokens.ts';
import type { Grants } from '../../modules/grants/index.ts';
import type { RequestToken } from '../../modules/grants/request-token.ts';
import type { Customers } from '../../modules/principals/customers.ts';
import type { CustomerPrincipal } from '../../modules/principals/principal.ts';
import type { Sessions } from '../../modules/sessions/sessions.ts';
import type { IdentityProviders } from '../../modules/sso/identity-providers.ts';
import type { TokenRevocation } from '../../modules/tokens/revoke.ts';
import { authenticated, authenticatedAs } from '../../permissions/access.ts';
import type { Route } from '../router.ts';
import { type EmporixRequest, tenantRoute } from './emporix-route.ts';
import { credentials, customerBody, exchangedBody, scopeText, socialBody } from './emporix-tokens.ts';
import { customerErrors as errors } from './families.ts';

const aGuest = authenticatedAs('anonymous');
const aCustomer = authenticatedAs('customer');

/** Whose bearer it is, where only customers get through. */
const customerOf = ({ ctx }: EmporixRequest): CustomerPrincipal => ctx.principal as CustomerPrincipal;

/** The routes that give and take tokens. */
export function createCustomerTokenRoutes(deps: {
  customers: Customers;
  grants: Grants;
  identityProviders: IdentityProviders;
  requestToken: RequestToken;
  sessions: Sessions;
  tokenRevocation: TokenRevocation;
}): Route[] {
  const { customers, grants, identityProviders, requestToken, sessions, tokenRevocation } = deps;

  return [
    tenantRoute({
      method: 'POST',
      path: '/customer/{tenant}/login',
      access: aGuest,
      errors,
      says: { summary: 'Sign in', body: credentials },
      async answer({ ctx, body }) {
        const tokens = await requestToken(ctx, grants.customerLogin, await body(credentials));
        const { token } = tokens.saasToken;
        return { status: 200, body: { ...customerBody(tokens), saas_token: token, saasToken: token } };
      },
    }),

    // Any bearer of the tenant: the refresh token is the credential. Without a company it is left, not kept.
    tenantRoute({
      method: 'GET',
      path: '/customer/{tenant}/refreshauthtoken',
      access: authenticated,
      errors,
      says: {
        summary: 'Go on, for a company or without one',
        query: { 'refreshToken*': 'The credential.', legalEntityId: 'Absent: the company is left.' },
      },
      async answer({ ctx, query }) {
        const tokens = await requestToken(ctx, grants.refreshToken, {
          refreshToken: query.need('refreshToken'),
          legalEntityId: query.value('legalEntityId') ?? null,
          tenant: ctx.tenantId,
        });
        return { status: 200, body: customerBody(tokens) };
      },
    }),

    tenantRoute({
      method: 'GET',
      path: '/customer/{tenant}/validateauthtoken',
      access: aCustomer,
      errors,
      says: { summary: 'What the bearer says' },
      async answer(request) {
        const { customerId, expiresAt, legalEntityId, scopes, sessionId, tenantId } = customerOf(request);
        const { email } = await customers.get(request.ctx, customerId);
        const body = {
          token_type: 'Bearer',
          expires_in: expiresAt - Math.floor(Date.now() / 1000),
          scope: scopeText(scopes, tenantId),
          sessionId,
          email,
          ...(legalEntityId !== null && { legalEntityId }),
        };
        return { status: 200, body };
      },
    }),

    // The token that is named ends, and with the bearer's session every token of it.
    tenantRoute({
      method: 'GET',
      path: '/customer/{tenant}/logout',
      access: aCustomer,
      errors,
      says: { summary: 'Sign out', query: { 'accessToken*': 'The token that ends.' }, status: 204 },
      async answer(request) {
        const { ctx, headers, query } = request;
        const accessToken = query.need('accessToken');
        if (headers.authorization?.split(' ').at(-1) !== accessToken) await tokenRevocation.revoke(ctx, accessToken);
        await sessions.logout(ctx, customerOf(request).sessionId);
        return { status: 204 };
      },
    }),

    tenantRoute({
      method: 'POST',
      path: '/customer/{tenant}/exchangeauthtoken',
      access: aGuest,
      errors,
      says: {
        summary: "Sign in by a provider's token",
        query: { 'subjectAccessToken*': "The provider's.", config: 'Which provider.' },
      },
      async answer({ ctx, query }) {
        const subjectToken = query.need('subjectAccessToken');
        const { id: provider } = await identityProviders.exchangingFor(ctx, query.value('config') ?? null);
        const parameters = { tenant: ctx.tenantId, provider, userType: 'CUSTOMER', subjectToken } as const;
        const tokens = await requestToken(ctx, grants.tokenExchange, parameters);
        return { status: 200, body: exchangedBody(tokens as CustomerTokens, ctx.tenantId, subjectToken) };
      },
    }),

    tenantRoute({
      method: 'POST',
      path: '/customer/{tenant}/socialLogin',
      access: aGuest,
      errors,
      says: {
        summary: "Sign in by a provider's code",
        query: { 'code*': "The provider's.", 'redirect_uri*': 'Where it was sent to.', code_verifier: 'Of PKCE.' },
      },
      async answer({ ctx, query }) {
        const tokens = await requestToken(ctx, grants.socialLogin, {
          code: query.need('code'),
          redirectUri: query.need('redirect_uri'),
          codeVerifier: query.value('code_verifier'),
        });
        return { status: 200, body: socialBody(tokens, ctx.tenantId) };
      },
    }),
  ];
}
