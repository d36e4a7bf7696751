// A service that verifies by itself feels what ends tokens: security.md cases 42 (offline part), 124 and 125.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clientKey } from '../../src/modules/revocations/revocation-key.ts';
import type { Revocation, Verifier } from '../../src/verify/verify.ts';
import { givenClient, givenCompany, givenCustomer, givenEmployee, givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { ctxOf, newDatabase, type Service, startService } from '../kit/service.ts';
import { claimsOf, employee, guest, refresh, serviceToken, signIn, tryLogin } from '../kit/stories.ts';
import {
  closeVerifiers,
  givenLine,
  givenVerifier,
  type Line,
  revoke,
  revokeSomething,
  sequencesOf,
  verdictAfter,
  verdictOn,
} from './given.ts';

const demo = ctxOf('demo');
/** It restarts on it. */
let DATABASE_URL: string;
let at: Service;
const lines: Line[] = [];
beforeAll(async () => {
  DATABASE_URL = await newDatabase();
  at = await startService({ DATABASE_URL });
});
afterEach(() => {
  closeVerifiers();
  for (const line of lines.splice(0)) line.close();
});
afterAll(() => at?.stop());

async function aLine(): Promise<Line> {
  const line = await givenLine(at.url);
  lines.push(line);
  return line;
}

/** The tokens are good; then the change; then they are refused within a second, and the others are good still. */
async function expectFelt(what: string, tokens: string[], others: string[], change: () => Promise<unknown>) {
  const verifier = await givenVerifier(at);
  for (const token of [...tokens, ...others]) expect(await verdictOn(verifier, token)).toBe('good');
  await change();
  const felt = await Promise.all(tokens.map((token) => verdictAfter(verifier, token, 'UNAUTHENTICATED', 5_000)));
  console.log(`felt offline ${Math.round(Math.max(...felt))} ms after ${what}`);
  for (const milliseconds of felt) expect(milliseconds).toBeLessThan(1_000);
  for (const token of others) expect(await verdictOn(verifier, token)).toBe('good');
}

describe('felt within a second', () => {
  it('case 42: a removed contact assignment ends the company’s tokens, saas too, and nothing else', async () => {
    const company = await givenCompany(at);
    const customer = await givenCustomer(at, { [company.id]: 'BUYER', acme: 'BUYER' });
    const colleague = await givenCustomer(at, { [company.id]: 'BUYER' });
    const forCompany = await signIn(at, customer.email, { legalEntityId: company.id });
    const others = [
      await signIn(at, customer.email, { legalEntityId: 'acme' }),
      await signIn(at, customer.email),
      await signIn(at, colleague.email, { legalEntityId: company.id }),
    ];
    const verifier = await givenVerifier(at);
    const caller = await verifier.verify(forCompany.accessToken);
    await verifier.requireSaas(caller, forCompany.saasToken);
    expect(verifier.isStillGood(caller)).toBe(true);
    await expectFelt(
      'removing the contact',
      [forCompany.accessToken],
      others.map(({ accessToken }) => accessToken),
      () => at.app.modules.contactAssignments.unassign(demo, { customerId: customer.id, legalEntityId: company.id }),
    );
    await expect.poll(() => verifier.isStillGood(caller), { timeout: 1_000 }).toBe(false);
    await expect(verifier.requireSaas(caller, forCompany.saasToken)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const asThemself = await refresh(at, forCompany.refreshToken, { legalEntityId: null });
    expect(await verdictOn(verifier, asThemself.accessToken)).toBe('good');
  });

  it('a change of what a group gives ends its members’ tokens; a refreshed one is good', async () => {
    const member = await givenEmployee(at, ['order.order_read']);
    const other = await givenEmployee(at, ['order.order_read']);
    const [token, others] = [await employee(at, member.email), await employee(at, other.email)];
    const { groups } = at.app.modules;
    const verifier = await givenVerifier(at);
    await expectFelt('changing a group', [token.accessToken], [others.accessToken], async () => {
      const { version } = (await groups.find(demo, member.groupId))!;
      await groups.update(demo, member.groupId, { version, accessControlIds: [] });
    });
    const again = await employee(at, member.email);
    expect((await verifier.verify(again.accessToken)).scopes).toEqual([]);
  });

  it('a logout, a login on a guest’s session, a revoked token, a disabled customer', async () => {
    const customer = await givenCustomer(at);
    const [one, other] = [await signIn(at, customer.email), await signIn(at, customer.email)];
    await expectFelt('a logout', [one.accessToken], [other.accessToken], () =>
      at.app.modules.sessions.logout(demo, one.sessionId),
    );
    const [visitor, stranger] = [await guest(at), await guest(at)];
    await expectFelt('a login', [visitor.accessToken], [stranger.accessToken], async () =>
      only(await tryLogin(at, { email: customer.email, anonymousToken: visitor.accessToken })),
    );
    const [crm, another] = [await serviceToken(at, 'demo-crm'), await serviceToken(at, 'demo-crm')];
    await expectFelt('a revocation', [crm.accessToken], [another.accessToken], () => revoke(at, crm.accessToken));
    await expectFelt('disabling a customer', [other.accessToken], [another.accessToken], () =>
      at.app.modules.customers.update(demo, customer.id, { enabled: false }),
    );
  });

  it('what was revoked before the service started is refused from its first moment', async () => {
    const { accessToken } = await serviceToken(at, 'demo-crm');
    await revoke(at, accessToken);
    const verifier = await givenVerifier(at);
    expect(await verdictOn(verifier, accessToken)).toBe('UNAUTHENTICATED');
  });

  it('a suspended tenant: it cannot be told any more, so nothing is accepted', async () => {
    const tenant = await givenTenant(at);
    const client = { id: tenant.backend.id, secret: tenant.backend.clientSecret };
    const verifier = await givenVerifier(at, { tenant: tenant.id, client });
    const { accessToken } = await guest(at, { tenant: tenant.id, clientId: tenant.storefront });
    expect(await verdictOn(verifier, accessToken)).toBe('good');
    await at.app.modules.tenants.suspend(tenant.id);
    const began = performance.now();
    await expect.poll(() => verdictOn(verifier, accessToken), { timeout: 5_000, interval: 10 }).not.toBe('good');
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe('case 124: cut and resumed', () => {
  async function listening(line: Line) {
    const heard: number[] = [];
    const verifier = await givenVerifier(at, {
      url: line.url,
      onRevocation: ({ sequence }: Revocation) => heard.push(sequence),
    });
    return { verifier, heard };
  }
  const expectAll = (heard: number[]) =>
    expect
      .poll(async () => [heard, await sequencesOf(at)], { timeout: 10_000 })
      .toSatisfy(([one, all]: number[][]) => JSON.stringify(one) === JSON.stringify(all));

  it('nothing is missing and nothing comes twice, however often the stream breaks meanwhile', async () => {
    const line = await aLine();
    const { heard } = await listening(line);
    await expectAll(heard);
    let isOver = false;
    const cutting = (async () => {
      let cuts = 0;
      for (; !isOver; cuts += 1) {
        await new Promise((resolve) => setTimeout(resolve, 60));
        line.cut();
      }
      return cuts;
    })();
    for (let round = 0; round < 40; round += 1) await revokeSomething(at);
    isOver = true;
    expect(await cutting).toBeGreaterThan(5);
    await expectAll(heard);
    expect(heard).toEqual([...new Set(heard)].toSorted((one, other) => one - other));
  });

  it('while the line is down, known revocations hold; what came meanwhile is felt when it is up again', async () => {
    const line = await aLine();
    const { verifier, heard } = await listening(line);
    const [before, meanwhile] = [await serviceToken(at, 'demo-crm'), await serviceToken(at, 'demo-crm')];
    await revoke(at, before.accessToken);
    expect(await verdictAfter(verifier, before.accessToken, 'UNAUTHENTICATED')).toBeLessThan(1_000);
    line.down();
    await revoke(at, meanwhile.accessToken);
    expect(await verdictOn(verifier, before.accessToken)).toBe('UNAUTHENTICATED');
    expect(await verdictOn(verifier, meanwhile.accessToken)).toBe('good');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    line.up();
    const felt = await verdictAfter(verifier, meanwhile.accessToken, 'UNAUTHENTICATED');
    console.log(`felt ${Math.round(felt)} ms after a line that was down for 1 s is up again`);
    expect(felt).toBeLessThan(5_000);
    await expectAll(heard);
  });

  it('the service restarts on the same database: the stream goes on where it was', async () => {
    const line = await aLine();
    const { verifier, heard } = await listening(line);
    const [ended, good] = [await serviceToken(at, 'demo-crm'), await serviceToken(at, 'demo-crm')];
    line.down();
    await at.stop();
    at = await startService({ DATABASE_URL });
    await revoke(at, ended.accessToken);
    expect(await verdictOn(verifier, ended.accessToken)).toBe('good');
    line.up(at.url);
    expect(await verdictAfter(verifier, ended.accessToken, 'UNAUTHENTICATED')).toBeLessThan(6_000);
    expect(await verdictOn(verifier, good.accessToken)).toBe('good');
    await expectAll(heard);
  });
});

describe('case 124: older entries are no longer kept', () => {
  /** What maintenance does after 25 hours. */
  const forget = async (upTo: number) =>
    at.app.modules.database.system().revocation.deleteMany({ where: { sequence: { lte: upTo } } });

  it('the stream says where to start over from', async () => {
    await revokeSomething(at);
    const upTo = at.app.modules.revocations.current();
    await revokeSomething(at);
    await forget(upTo);
    const { accessToken } = await serviceToken(at, 'demo-backend', ['oauth.revocation_read']);
    const response = await fetch(`${at.url}/graphql`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'text/event-stream',
        Authorization: `Bearer ${accessToken}`,
      },
      body: JSON.stringify({ query: 'subscription { revocations(after: 0) { sequence } }' }),
    });
    const [data] = /\{.*\}/.exec(await response.text())!;
    expect(JSON.parse(data).errors[0].extensions).toMatchObject({
      code: 'CONFLICT',
      reason: 'REVOCATIONS_PRUNED',
      after: upTo,
    });
  });

  it('a new service starts over from there, and refuses what is kept', async () => {
    const [forgotten, kept] = [await serviceToken(at, 'demo-crm'), await serviceToken(at, 'demo-crm')];
    await revoke(at, forgotten.accessToken);
    await forget(at.app.modules.revocations.current());
    await revoke(at, kept.accessToken);
    const heard: number[] = [];
    const verifier = await givenVerifier(at, { onRevocation: ({ sequence }) => heard.push(sequence) });
    expect(await verdictOn(verifier, kept.accessToken)).toBe('UNAUTHENTICATED');
    expect(heard).toEqual(await sequencesOf(at));
    expect(heard).toHaveLength(1);
    const { accessToken } = await serviceToken(at, 'demo-crm');
    await revoke(at, accessToken);
    expect(await verdictAfter(verifier, accessToken, 'UNAUTHENTICATED')).toBeLessThan(1_000);
  });

  it('one that was away for so long starts over too, and forgets nothing of what it knows', async () => {
    const line = await aLine();
    const verifier = await givenVerifier(at, { url: line.url });
    const known = await serviceToken(at, 'demo-crm');
    await revoke(at, known.accessToken);
    expect(await verdictAfter(verifier, known.accessToken, 'UNAUTHENTICATED')).toBeLessThan(1_000);
    line.down();
    await revokeSomething(at);
    await revokeSomething(at);
    await forget(at.app.modules.revocations.current());
    const late = await serviceToken(at, 'demo-crm');
    await revoke(at, late.accessToken);
    line.up();
    expect(await verdictAfter(verifier, late.accessToken, 'UNAUTHENTICATED')).toBeLessThan(6_000);
    expect(await verdictOn(verifier, known.accessToken)).toBe('UNAUTHENTICATED');
  });
});

it('its own token ends: it gets another, misses nothing, and nobody needs to be told', async () => {
  const client = await givenClient(at, ['oauth.revocation_read']);
  const problems: unknown[] = [];
  const verifier = await givenVerifier(at, {
    client: { id: client.id, secret: client.clientSecret },
    staleAfterSeconds: 2,
    onProblem: (problem) => problems.push(problem),
  });
  const { database, revocations } = at.app.modules;
  for (let round = 0; round < 3; round += 1) {
    await database.transaction(demo, (tx) => revocations.record(tx, demo, [clientKey(client.id)], 'test'));
    await revocations.felt();
    const { accessToken } = await serviceToken(at, 'demo-crm');
    await revoke(at, accessToken);
    expect(await verdictAfter(verifier, accessToken, 'UNAUTHENTICATED')).toBeLessThan(1_000);
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
  expect(verifier.isStale()).toBe(false);
  expect(problems).toEqual([]);
});

describe('case 125: the stream dies, and nobody is told', () => {
  it('asking behind it finds out, opens another and feels what was missed', async () => {
    const line = await aLine();
    const verifier: Verifier = await givenVerifier(at, { url: line.url, staleAfterSeconds: 4 });
    await expect.poll(() => line.streams(), { timeout: 5_000 }).toBe(1);
    line.muteStreams();
    const { accessToken } = await serviceToken(at, 'demo-crm');
    await revoke(at, accessToken);
    const felt = await verdictAfter(verifier, accessToken, 'UNAUTHENTICATED');
    console.log(`felt ${Math.round(felt)} ms after a revocation behind a dead stream (asked every second)`);
    expect(felt).toBeLessThan(4_000);
    expect(verifier.isStale()).toBe(false);
  });
});

describe('Query.latestRevocation', () => {
  const ask = (bearer?: string) => graphql(at, '{ latestRevocation }', { bearer });
  const reader = async (client = 'demo-backend') =>
    (await serviceToken(at, client, ['oauth.revocation_read'])).accessToken;

  it('success: the number of the newest entry, at once', async () => {
    const bearer = await reader();
    await revokeSomething(at);
    expect(only(await ask(bearer))).toBe((await sequencesOf(at)).at(-1));
  });

  it('unauthenticated, forbidden: needs oauth.revocation_read', async () => {
    expect((await ask()).code).toBe('UNAUTHENTICATED');
    expect((await ask('garbage')).code).toBe('UNAUTHENTICATED');
    expect((await ask((await serviceToken(at, 'demo-crm')).accessToken)).code).toBe('FORBIDDEN');
  });

  it('other tenant: tells of the caller’s own only', async () => {
    const bearer = await reader('rival-backend');
    const before = only(await ask(bearer));
    const jti = await revokeSomething(at);
    expect(only(await ask(bearer))).toBe(before);
    expect(jti).not.toBe(claimsOf(bearer).jti);
  });
});
