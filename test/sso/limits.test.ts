// What holds of the three mutations of single sign-on besides what they are for: one of them in a document, nobody who is
// shut out, nothing left lying about.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { type MisbehavingProvider, startMisbehaving } from '../kit/oidc-misbehaving.ts';
import {
  CALLBACK,
  callbackOf,
  connect,
  type Entered,
  startSso,
  tryExchange,
  tryIssueSsoToken,
  tryStartSso,
} from '../kit/oidc-stories.ts';
import { type Service, theService } from '../kit/service.ts';
import { isGood } from '../kit/stories.ts';

let at: Service;
let idp: MisbehavingProvider;
beforeAll(async () => {
  at = await theService();
  idp = await startMisbehaving();
});
afterAll(() => idp?.stop());

const newPerson = () => {
  const sub = randomUUID();
  return { sub, email: `${sub}@test.example`, email_verified: true };
};
async function givenProvider() {
  const tenant = await givenTenant(at);
  return { tenant, provider: await connect(at, tenant, idp, { subjectTokens: 'JWT', autoProvision: true }) };
}

it('a document holds one of them: more are OPERATION_TOO_COMPLEX, and none is tried', async () => {
  const { tenant, provider } = await givenProvider();
  const db = at.app.modules.database.forTenant({ tenantId: tenant.id });
  const begun = await startSso(at, { tenant: tenant.id, provider });
  const callback = callbackOf(begun, idp.signIn(begun.authorizationUrl, newPerson()));
  const variables = {
    start: { tenant: tenant.id, provider, userType: 'CUSTOMER', redirectUri: CALLBACK },
    issue: callback,
    exchange: {
      tenant: tenant.id,
      provider,
      userType: 'CUSTOMER',
      subjectToken: await idp.sign(idp.claims(newPerson())),
    },
  };
  const before = { begun: await db.ssoAuthorization.count(), asked: { ...idp.asked } };
  const fields = [
    'startSso(input: $start) { state }',
    'issueSsoToken(input: $issue) { __typename }',
    'exchangeToken(input: $exchange) { __typename }',
  ];
  for (const one of fields)
    for (const other of fields) {
      const query = `mutation ($start: StartSsoInput!, $issue: IssueSsoTokenInput!, $exchange: ExchangeTokenInput!) {
        unused: __typename a: ${one} b: ${other} }`;
      const answer = await graphql(at, query, { variables });
      expect(['OPERATION_TOO_COMPLEX', 'BAD_USER_INPUT'], `${one} ${other}`).toContain(answer.code);
    }
  expect({ begun: await db.ssoAuthorization.count(), asked: idp.asked }).toEqual(before);
  only(await tryIssueSsoToken(at, callback));
});

it('a tenant that is shut: nobody begins, comes back or exchanges, and who is in is out', async () => {
  const { tenant, provider } = await givenProvider();
  const input = { tenant: tenant.id, provider };
  const token = only<Entered>(
    await tryExchange(at, { ...input, subjectToken: await idp.sign(idp.claims(newPerson())) }),
  );
  const begun = await startSso(at, input);
  const callback = callbackOf(begun, idp.signIn(begun.authorizationUrl, newPerson()));
  await at.app.modules.tenants.suspend(tenant.id);
  const asked = { ...idp.asked };
  const subjectToken = await idp.sign(idp.claims(newPerson()));
  expect((await tryStartSso(at, input)).code).toBe('NOT_FOUND');
  expect((await tryIssueSsoToken(at, callback)).code).toBe('INVALID_GRANT');
  expect((await tryExchange(at, { ...input, subjectToken })).code).toBe('INVALID_GRANT');
  expect(idp.asked).toEqual(asked);
  expect(await isGood(at, token.accessToken)).toBe(false);
});

it('what never came back, and marks of tokens that have expired, are deleted; what is still good stays', async () => {
  const { tenant, provider } = await givenProvider();
  const db = at.app.modules.database.forTenant({ tenantId: tenant.id });
  const input = { tenant: tenant.id, provider };
  await startSso(at, input);
  only(await tryExchange(at, { ...input, subjectToken: await idp.sign(idp.claims(newPerson())) }));
  const past = { expiresAt: new Date(Date.now() - 60_000) };
  await Promise.all([db.ssoAuthorization.updateMany({ data: past }), db.usedSubjectToken.updateMany({ data: past })]);
  const begun = await startSso(at, input);
  const subjectToken = await idp.sign(idp.claims(newPerson()));
  only(await tryExchange(at, { ...input, subjectToken }));
  expect(await at.app.modules.authorizations.prune()).toBeGreaterThan(0);
  expect([await db.ssoAuthorization.count(), await db.usedSubjectToken.count()]).toEqual([1, 1]);
  only(await tryIssueSsoToken(at, callbackOf(begun, idp.signIn(begun.authorizationUrl, newPerson()))));
  expect((await tryExchange(at, { ...input, subjectToken })).code).toBe('INVALID_GRANT');
});

it('a refusal says the same whatever was wrong, and never what', async () => {
  const { tenant, provider } = await givenProvider();
  const input = { tenant: tenant.id, provider };
  const begun = await startSso(at, input);
  const good = idp.claims(newPerson());
  const answers = [
    await tryIssueSsoToken(at, { state: 'x', code: 'x', verifier: 'x' }),
    await tryIssueSsoToken(at, {
      ...callbackOf(begun, idp.signIn(begun.authorizationUrl, newPerson())),
      verifier: 'x',
    }),
    await tryIssueSsoToken(
      at,
      callbackOf(
        begun,
        idp.signIn(begun.authorizationUrl, newPerson(), (claims) => idp.sign({ ...claims, nonce: 'x' })),
      ),
    ),
    await tryExchange(at, { ...input, subjectToken: 'x' }),
    await tryExchange(at, { ...input, subjectToken: await idp.sign({ ...good, aud: 'another' }) }),
    await tryExchange(at, { ...input, subjectToken: await idp.sign({ ...good, email_verified: false }) }),
    await tryExchange(at, { ...input, provider: 'nowhere', subjectToken: await idp.sign(good) }),
  ];
  const seen = answers.map(({ status, errors }) => ({
    status,
    errors: errors.map(({ message, extensions }) => ({ message, extensions })),
  }));
  expect(seen[0]?.errors).toMatchObject([{ extensions: { code: 'INVALID_GRANT' } }]);
  for (const each of seen) expect(each).toEqual(seen[0]);
});
