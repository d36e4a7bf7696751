// Mutation.rotateClientSecret: two secrets are good at most, and for as long as was said (case 59).

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { givenClient, givenEmployee } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { createDatabaseIn } from '../kit/postgres.ts';
import { type Service, startService, theService } from '../kit/service.ts';
import { type EmployeeToken, employee, isGood, serviceToken, tryServiceToken } from '../kit/stories.ts';

let at: Service;
let admin: EmployeeToken;
beforeAll(async () => {
  at = await theService();
  admin = await employee(at);
});

const MONTH = 30 * 86_400;
const rotate = (id: string, variables: object = {}, bearer: string | undefined = admin.accessToken, service = at) =>
  graphql(
    service,
    `mutation ($id: ID!, $keep: Int) { rotateClientSecret(id: $id, keepPreviousFor: $keep) {
      clientSecret client { id version } } }`,
    { bearer, variables: { id, ...variables } },
  );
const rotated = async (id: string, keep?: number): Promise<string> =>
  only(await rotate(id, keep === undefined ? {} : { keep })).clientSecret;
const db = (service = at) => service.app.modules.database.forTenant({ tenantId: 'demo' });
const refusal = async (...args: Parameters<typeof rotate>) => (await rotate(...args)).errors[0]?.extensions;
/** What each of the secrets is answered with. */
const tried = (id: string, secrets: readonly string[], service = at) =>
  Promise.all(secrets.map(async (secret) => (await tryServiceToken(service, id, secret)).code ?? 'good'));
/** Ends the time of a secret that was kept, as if it had passed. */
const passTime = async (id: string, seconds: number) => {
  const tenantId = 'demo';
  await db().$executeRaw`
    UPDATE client_secrets SET expires_at = expires_at - make_interval(secs => ${seconds})
    WHERE tenant_id = ${tenantId} AND client_id = ${id}`;
  await at.app.modules.changes.catchUp();
};

describe('rotateClientSecret', () => {
  it('success: the last secret is refused at once, the new one is good, and tokens go on', async () => {
    const { id, clientSecret } = await givenClient(at, ['price.price_read']);
    const { accessToken } = only(await tryServiceToken(at, id, clientSecret));
    const answer = only(await rotate(id));
    expect(answer).toEqual({ clientSecret: expect.stringMatching(/^cs_[\w-]{43}$/), client: { id, version: 1 } });
    expect(await tried(id, [clientSecret, answer.clientSecret])).toEqual(['INVALID_CLIENT', 'good']);
    expect(await isGood(at, accessToken)).toBe(true);
    expect(await db().revocation.count({ where: { kind: 'CLIENT', key: id } })).toBe(0);
    const events = await db().auditEvent.findMany({ where: { subjectId: id, type: 'client.secret_rotated' } });
    const actor = { kind: 'employee', id: admin.employee.id };
    expect(events).toMatchObject([{ actor, details: { keepPreviousFor: 0 }, outcome: 'success' }]);
    expect(JSON.stringify(events)).not.toContain(answer.clientSecret);
  });

  it('case 59: with keepPreviousFor both are good, and of three the oldest is refused at once', async () => {
    const { id, clientSecret: first } = await givenClient(at, ['price.price_read']);
    const second = await rotated(id, 3600);
    expect(await tried(id, [first, second])).toEqual(['good', 'good']);
    const third = await rotated(id, 60);
    expect(await tried(id, [first, second, third])).toEqual(['INVALID_CLIENT', 'good', 'good']);
    expect(await db().clientSecret.count({ where: { clientId: id } })).toBe(2);
    const fourth = await rotated(id, 0);
    expect(await tried(id, [second, third, fourth])).toEqual(['INVALID_CLIENT', 'INVALID_CLIENT', 'good']);
  });

  it('case 59: the last secret is good until its time is over, and the new one goes on', async () => {
    const { id, clientSecret: first } = await givenClient(at, ['price.price_read']);
    const before = Date.now();
    const second = await rotated(id, 600);
    const [kept] = await db().clientSecret.findMany({ where: { clientId: id, expiresAt: { not: null } } });
    expect(kept!.expiresAt!.getTime() - before).toBeGreaterThanOrEqual(600_000);
    expect(kept!.expiresAt!.getTime() - Date.now()).toBeLessThanOrEqual(600_000);
    await passTime(id, 590);
    expect(await tried(id, [first, second])).toEqual(['good', 'good']);
    await passTime(id, 11);
    expect(await tried(id, [first, second])).toEqual(['INVALID_CLIENT', 'good']);
  });

  it('case 59: many rotations at once leave two secrets at most, and one that never ends', async () => {
    const { id } = await givenClient(at, ['price.price_read']);
    const secrets = await Promise.all([60, 60, 0, 60, 60].map((keep) => rotated(id, keep)));
    const good = (await tried(id, secrets)).filter((answer) => answer === 'good');
    expect([1, 2]).toContain(good.length);
    expect(await db().clientSecret.count({ where: { clientId: id, expiresAt: null } })).toBe(1);
  });

  it('invalid: BAD_USER_INPUT for a time below 0 or above 30 days, and the secret stays', async () => {
    const { id, clientSecret } = await givenClient(at, ['price.price_read']);
    for (const keep of [-1, MONTH + 1]) {
      expect(await refusal(id, { keep })).toMatchObject({ code: 'BAD_USER_INPUT', field: 'keepPreviousFor' });
    }
    expect(await tried(id, [clientSecret])).toEqual(['good']);
    expect(await tried(id, [clientSecret, await rotated(id, MONTH)])).toEqual(['good', 'good']);
  });

  it('invalid: CONFLICT PUBLIC_CLIENT for a storefront, which has no secret', async () => {
    const { id } = await givenClient(at, [], 'STOREFRONT');
    expect(await refusal(id)).toMatchObject({ code: 'CONFLICT', reason: 'PUBLIC_CLIENT' });
    expect(await db().clientSecret.count({ where: { clientId: id } })).toBe(0);
  });

  it('unauthenticated and forbidden: needs oauth.client_manage', async () => {
    const { id, clientSecret } = await givenClient(at, ['price.price_read']);
    const { code } = await graphql(at, `mutation { rotateClientSecret(id: "${id}") { clientSecret } }`);
    expect(code).toBe('UNAUTHENTICATED');
    const reader = await employee(at, (await givenEmployee(at, ['oauth.client_read', 'price.price_read'])).email);
    expect(await refusal(id, {}, reader.accessToken)).toMatchObject({
      code: 'FORBIDDEN',
      missingScopes: ['oauth.client_manage'],
    });
    expect(await tried(id, [clientSecret])).toEqual(['good']);
  });

  it('forbidden, case 98: a secret hands out all that the client has', async () => {
    const { id, clientSecret } = await givenClient(at, ['order.order_manage', 'price.price_read']);
    const person = await givenEmployee(at, ['oauth.client_manage', 'price.price_read']);
    const { accessToken } = await employee(at, person.email);
    expect(await refusal(id, {}, accessToken)).toMatchObject({
      code: 'FORBIDDEN',
      missingScopes: ['order.order_manage'],
    });
    expect(await refusal('demo-backend', { keep: 60 }, accessToken)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await tried(id, [clientSecret])).toEqual(['good']);
    const own = await givenClient(at, ['price.price_read']);
    expect((await rotate(own.id, {}, accessToken)).errors).toEqual([]);
  });

  it('invalid, other tenant: NOT_FOUND in the same words for one that there is not and for one of another tenant', async () => {
    const [foreign, missing] = [await rotate('rival-backend'), await rotate('no-such-client')];
    expect([foreign.code, foreign.errors]).toEqual(['NOT_FOUND', missing.errors]);
    expect(await isGood(at, (await serviceToken(at, 'rival-backend')).accessToken)).toBe(true);
  });
});

const cluster = inject('postgresUrl');
describe.skipIf(cluster === null)('on two instances that share a PostgreSQL (skipped without server binaries)', () => {
  const both: Service[] = [];
  beforeAll(async () => {
    const DATABASE_URL = await createDatabaseIn(cluster!);
    for (let i = 0; i < 2; i += 1) both.push(await startService({ DATABASE_URL }));
  }, 180_000);
  afterAll(() => Promise.all(both.map((service) => service.stop())));

  it('case 59: a secret that was rotated away is refused by this one at once and by the other within a second', async () => {
    const [here, there] = both as [Service, Service];
    const { accessToken } = await employee(here);
    const { id, clientSecret: first } = await givenClient(here, ['price.price_read']);
    for (const service of both) expect(await tried(id, [first], service)).toEqual(['good']);
    const second = only(await rotate(id, { keep: 3600 }, accessToken, here)).clientSecret;
    const third = only(await rotate(id, { keep: 3600 }, accessToken, here)).clientSecret;
    const began = performance.now();
    expect(await tried(id, [first, second, third], here)).toEqual(['INVALID_CLIENT', 'good', 'good']);
    const answers = () => tried(id, [first, second, third], there);
    await expect.poll(answers, { timeout: 5_000, interval: 100 }).toEqual(['INVALID_CLIENT', 'good', 'good']);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
