// Which token opens which door of the routes of Emporix (security.md cases 14 and 135): a checked-in table, and everything
// else is refused.

import { beforeAll, describe, expect, it } from 'vitest';
import { type RestRequest, restClient } from '../kit/rest.ts';
import { type Service, theService } from '../kit/service.ts';
import { guest, PASSWORD, signIn } from '../kit/stories.ts';
import { type CredentialName, type Credentials, credentialNames, givenCredentials } from './a-tokens-credentials.ts';

let service: Service;
let credentials: Credentials;
let customer: { id: string; email: string };
beforeAll(async () => {
  service = await theService();
  ({ credentials, customer } = await givenCredentials(service));
});

const shop = restClient('customer-managed');
const iam = restClient('iam');
const context = restClient('session-context');

/** "no" for the one refusal of these routes; anything else shows in the table. */
const outcome = async (answer: Promise<{ status: number; body: unknown }>): Promise<string> => {
  const { status, body } = await answer;
  return status === 401 ? 'no' : status < 300 ? 'yes' : `${status} ${JSON.stringify(body)}`;
};
const asCustomer = () => signIn(service, customer.email);
const at = (method: string, path: string, request: RestRequest) => outcome(shop(service, method, path, request));
const asGuest = async (method: string, path: string, query: Record<string, string>) =>
  at(method, path, { token: (await guest(service)).accessToken, query });
const storefront = { tenant: 'demo', client_id: 'demo-storefront' };

/** Every door, and what it makes of a credential. */
const doors: Record<string, (credential: string) => Promise<string>> = {
  'users/me/scopes Bearer': (token) => outcome(iam(service, 'GET', '/iam/demo/users/me/scopes', { token })),
  'me/context Bearer': (token) => outcome(context(service, 'GET', '/session-context/demo/me/context', { token })),
  'me Bearer': (token) => at('GET', '/customer/demo/me', { token }),
  'validateauthtoken Bearer': (token) => at('GET', '/customer/demo/validateauthtoken', { token }),
  'login Bearer': (token) =>
    at('POST', '/customer/demo/login', { token, body: { email: customer.email, password: PASSWORD } }),
  'refreshauthtoken Bearer': async (token) => {
    const { refreshToken } = await asCustomer();
    return at('GET', '/customer/demo/refreshauthtoken', { token, query: { refreshToken } });
  },
  'refreshauthtoken.refreshToken': (refreshToken) =>
    asGuest('GET', '/customer/demo/refreshauthtoken', { refreshToken }),
  'anonymous/refresh.refresh_token': (refresh_token) =>
    at('GET', '/customerlogin/auth/anonymous/refresh', { query: { ...storefront, refresh_token } }),
  'anonymous/refresh.anonymous_token': (anonymous_token) =>
    at('GET', '/customerlogin/auth/anonymous/refresh', { query: { ...storefront, anonymous_token } }),
  'logout Bearer': async (token) => at('GET', '/customer/demo/logout', { token, query: { accessToken: token } }),
};

const bearers = { 'users/me/scopes Bearer': 'yes', 'refreshauthtoken Bearer': 'yes' };
const ofCustomers = {
  ...bearers,
  'me/context Bearer': 'yes',
  'me Bearer': 'yes',
  'validateauthtoken Bearer': 'yes',
  'logout Bearer': 'yes',
};

/** The cells that succeed. What is not written is refused. */
const table: Partial<Record<CredentialName, Partial<Record<string, string>>>> = {
  'service AT': bearers,
  'employee AT': bearers,
  'anonymous AT': {
    ...bearers,
    'me/context Bearer': 'yes',
    'me Bearer': 'yes',
    'login Bearer': 'yes',
    'anonymous/refresh.anonymous_token': 'yes',
  },
  'customer AT': ofCustomers,
  'company AT': ofCustomers,
  'assisted AT': ofCustomers,
  'anonymous RT': { 'anonymous/refresh.refresh_token': 'yes' },
  'customer RT': { 'refreshauthtoken.refreshToken': 'yes' },
};

describe('cases 14 and 135: only the cells of a checked-in table succeed', () => {
  it.each(credentialNames)('cases 14 and 135: the %s', async (name) => {
    const found: Record<string, string> = {};
    for (const [door, attempt] of Object.entries(doors)) {
      const result = await attempt(await credentials[name].make());
      if (result !== 'no') found[door] = result;
    }
    expect(found).toEqual(table[name] ?? {});
  });
});
