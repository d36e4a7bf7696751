// Query.introspectToken (RFC 7662): what a token says, for a caller of its tenant. Anything else is inactive, no more.

import { beforeAll, expect, it } from 'vitest';
import { graphql, only } from '../kit/graphql.ts';
import { ctxOf, ISSUER, type Service, theService } from '../kit/service.ts';
import { claimsOf, employee, guest, refresh, serviceToken, signIn, tryAssist } from '../kit/stories.ts';

let at: Service;
let backend: string;
beforeAll(async () => {
  at = await theService();
  backend = (await serviceToken(at)).accessToken;
});

const fields = `active kind tenant scopes subject clientId sessionId legalEntityId issuedAt expiresAt issuer audience actor`;
const inspect = (token: string, bearer?: string) =>
  graphql(at, `query ($token: String!) { introspectToken(token: $token) { ${fields} } }`, {
    bearer,
    variables: { token },
  });
const nothing = Object.fromEntries(fields.split(' ').map((field) => [field, field === 'active' ? false : null]));
const moment = (seconds: number) => new Date(seconds * 1000).toISOString();

it('success: tells all that a company token says', async () => {
  const { accessToken, scopes, sessionId, customer } = await signIn(at, 'buyer@demo.example', {
    legalEntityId: 'acme',
  });
  const { iat, exp } = claimsOf(accessToken);
  expect(only(await inspect(accessToken, backend))).toEqual({
    active: true,
    kind: 'CUSTOMER',
    tenant: 'demo',
    scopes,
    subject: customer.id,
    clientId: 'demo-storefront',
    sessionId,
    legalEntityId: 'acme',
    issuedAt: moment(iat),
    expiresAt: moment(exp),
    issuer: ISSUER,
    audience: [ISSUER],
    actor: null,
  });
});

it('tells every kind of token apart', async () => {
  const [visitor, customer, worker] = [await guest(at), await signIn(at), await employee(at, 'support@demo.example')];
  const assisted = only(await tryAssist(at, worker.accessToken, { customerId: customer.customer.id }));
  const tokens: [string, object][] = [
    [backend, { kind: 'SERVICE', subject: 'demo-backend', sessionId: null }],
    [visitor.accessToken, { kind: 'ANONYMOUS', subject: visitor.sessionId }],
    [visitor.refreshToken, { kind: 'REFRESH', sessionId: visitor.sessionId, scopes: [] }],
    [customer.accessToken, { kind: 'CUSTOMER', actor: null }],
    [customer.saasToken, { kind: 'SAAS', scopes: [], sessionId: customer.sessionId }],
    [customer.refreshToken, { kind: 'REFRESH', subject: customer.customer.id, issuedAt: null, scopes: [] }],
    [worker.accessToken, { kind: 'EMPLOYEE', subject: worker.employee.id }],
    [worker.refreshToken, { kind: 'REFRESH', subject: worker.employee.id }],
    [assisted.accessToken, { kind: 'CUSTOMER', actor: worker.employee.id, subject: customer.customer.id }],
  ];
  for (const [token, expected] of tokens) {
    expect(only(await inspect(token, backend))).toMatchObject({ active: true, tenant: 'demo', ...expected });
  }
});

it('invalid: what is no token, or no good one, is inactive and nothing more', async () => {
  const { accessToken, refreshToken, saasToken, sessionId } = await signIn(at);
  const next = await refresh(at, refreshToken);
  expect(only(await inspect(refreshToken, backend))).toEqual(nothing);
  await at.app.modules.sessions.logout(ctxOf('demo'), sessionId);
  const tokens = ['', 'nonsense', 'a.b.c', `rt_${'x'.repeat(43)}`, accessToken, saasToken, next.refreshToken];
  for (const token of tokens) expect(only(await inspect(token, backend)), token.slice(0, 12)).toEqual(nothing);
});

it('a caller’s own tokens need no scope', async () => {
  const { accessToken, refreshToken, saasToken } = await signIn(at);
  for (const token of [accessToken, refreshToken, saasToken]) {
    expect(only(await inspect(token, accessToken)).active).toBe(true);
  }
  const crm = await serviceToken(at, 'demo-crm');
  const again = await serviceToken(at, 'demo-crm');
  expect(only(await inspect(again.accessToken, crm.accessToken)).active).toBe(true);
});

it('unauthenticated: UNAUTHENTICATED without a bearer, also for a good token', async () => {
  expect((await inspect(backend)).code).toBe('UNAUTHENTICATED');
});

it('forbidden: another’s token, a bad token and garbage look alike to whoever lacks the scope', async () => {
  const { accessToken } = await signIn(at, 'shopper@demo.example');
  const { accessToken: another } = await signIn(at);
  const answers = [];
  for (const token of [another, backend, 'nonsense', `${another}x`]) {
    const { errors, status, data } = await inspect(token, accessToken);
    answers.push({ errors, status, data });
  }
  expect(answers[0]?.errors[0]?.extensions).toMatchObject({
    code: 'FORBIDDEN',
    missingScopes: ['oauth.token_introspect'],
  });
  for (const answer of answers) expect(answer).toEqual(answers[0]);
});

it('other tenant: a good token of another tenant is inactive and nothing more', async () => {
  const mallory = await signIn(at, 'mallory@rival.example');
  for (const token of [mallory.accessToken, mallory.refreshToken, mallory.saasToken]) {
    expect(only(await inspect(token, backend))).toEqual(nothing);
  }
});
