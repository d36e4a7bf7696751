// An OpenID Connect provider to try single sign-on with: whoever you say you are, with any password, with a verified
// address at people.example. For one's own machine only. `npm run idp`, then GraphiQL's story 8.

import { createServer, type ServerResponse } from 'node:http';
import { Provider } from 'oidc-provider';

const PORT = Number(process.env.PORT ?? 4400);
const issuer = `http://localhost:${PORT}`;
const callback = `${issuer}/callback`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'scopeward',
      client_secret: 'a secret of the example',
      redirect_uris: [callback],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
  ],
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['given_name', 'family_name', 'groups'],
  },
  cookies: { keys: ['a key of the example'] },
  pkce: { required: () => true },
  findAccount: (_ctx, sub) => ({
    accountId: sub,
    claims: () => ({
      sub,
      email: `${sub.toLowerCase()}@people.example`,
      email_verified: true,
      given_name: sub,
      family_name: 'Example',
      // Whoever has "support" in the name is in the group Support.
      groups: sub.includes('support') ? ['Support'] : [],
    }),
  }),
});

/** What a storefront's callback page would send to `issueSsoToken`, to be copied. */
function showReturned(url: URL, response: ServerResponse): void {
  const { code, state, iss } = Object.fromEntries(url.searchParams);
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(`Paste this into Variables, beside "verifier":\n\n${JSON.stringify({ code, state, iss }, null, 2)}\n`);
}

const answer = provider.callback();
createServer((request, response) => {
  const url = new URL(request.url ?? '/', issuer);
  if (url.pathname === '/callback') showReturned(url, response);
  else answer(request, response);
}).listen(PORT, '127.0.0.1', () => console.log(`An identity provider for trying out: ${issuer}`));
