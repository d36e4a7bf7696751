// Section B, one request after the other: rotation, reuse, retries, companies, limits of life. Races stand in
// b-refresh-races.test.ts, everything that ends a family in b-refresh-ended.test.ts, deaths of the process in
// test/faults. Not here yet: /oauth/token (cases 27 to 29 enter at the grant it will call) and tokens in query strings
// (case 31), which come with those doors.

import { beforeAll, describe, expect, it } from 'vitest';
import { givenCompany, givenCustomer, givenEmployee } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import {
  claimsOf,
  employee,
  guest,
  isGood,
  refresh,
  signIn,
  tryRefresh,
  tryRefreshEmployee,
  tryRefreshGuest,
} from '../kit/stories.ts';
import { beginFamily, eventsOf, familyRows, letPass } from './b-refresh-families.ts';

const request = { ...ctxOf('demo') };

let service: Service;
beforeAll(async () => {
  service = await theService();
});

const someone = async (companies: Parameters<typeof givenCustomer>[1] = {}) => givenCustomer(service, companies);
const family = async () => beginFamily(service, (await someone()).id);

describe('rotation', () => {
  it('case 18: gives a new token of the same session, spends the old one, and resolves scopes anew', async () => {
    const company = await givenCompany(service);
    const customer = await someone({ [company.id]: 'REQUESTER' });
    const first = await signIn(service, customer.email, { legalEntityId: company.id });
    await service.app.modules.contactAssignments.unassign(ctxOf('demo'), {
      customerId: customer.id,
      legalEntityId: company.id,
    });
    await service.app.modules.contactAssignments.assign(ctxOf('demo'), customer.id, company.id);
    await service.app.modules.memberships.joinCompany(ctxOf('demo'), company.id, 'ADMIN', customer.id);
    const second = await refresh(service, first.refreshToken);

    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(second.sessionId).toBe(first.sessionId);
    const [before, after] = [claimsOf(first.accessToken), claimsOf(second.accessToken)];
    expect(after.session_id).toBe(before.session_id);
    expect(after.jti).not.toBe(before.jti);
    expect(second.scopes).not.toEqual(first.scopes);
    const administrator = await someone({ [company.id]: 'ADMIN' });
    expect(second.scopes).toEqual((await signIn(service, administrator.email, { legalEntityId: company.id })).scopes);
    const { rows, spent, isHead } = await familyRows(service, first.sessionId);
    expect({ rows, spent }).toEqual({ rows: 2, spent: 1 });
    expect(isHead(second.refreshToken)).toBe(true);
  });

  it('case 18: is decided by one conditional statement that writes the successor too', async () => {
    const { refreshToken } = await family();
    const from = service.statements.length;
    await refresh(service, refreshToken);
    const statements = service.statements.slice(from);
    const writes = statements.filter((sql) => /\b(INSERT|UPDATE|DELETE)\b/.test(sql) && /refresh_tokens/.test(sql));
    expect(writes).toHaveLength(1);
    expect(writes[0]).toMatch(
      /UPDATE refresh_tokens[\s\S]*spent_at IS NULL[\s\S]*RETURNING[\s\S]*INSERT INTO refresh_tokens/,
    );
  });

  it('keeps no token in the clear, nor a successor that the database alone can open', async () => {
    const { sessionId, refreshToken } = await family();
    const next = await refresh(service, refreshToken);
    const rows = await service.app.modules.database.system().refreshToken.findMany({ where: { sessionId } });
    const stored = Buffer.concat(rows.flatMap(({ id, successor }) => [id, successor ?? new Uint8Array()])).toString(
      'latin1',
    );
    for (const token of [refreshToken, next.refreshToken]) {
      expect(stored).not.toContain(token);
      expect(stored).not.toContain(Buffer.from(token.slice(3), 'base64url').toString('latin1'));
    }
  });
});

describe('a spent token that comes back', () => {
  it('case 19: ends family and session in one transaction, with everything issued in it, and is told of once', async () => {
    const { email } = await someone();
    const r1 = await signIn(service, email);
    const r2 = await refresh(service, r1.refreshToken);
    const r3 = await refresh(service, r2.refreshToken);
    await letPass(service, r1.sessionId, 11);

    const replays = await Promise.all(Array.from({ length: 10 }, () => tryRefresh(service, r1.refreshToken)));
    expect(replays.map(({ code }) => code)).toEqual(Array(10).fill('INVALID_GRANT'));
    expect(new Set(replays.map(({ body }) => body)).size).toBe(1);
    expect((await tryRefresh(service, r3.refreshToken)).code).toBe('INVALID_GRANT');
    for (const { accessToken } of [r1, r2, r3]) expect(await isGood(service, accessToken)).toBe(false);
    await expect(service.app.modules.verifier.verify(r3.saasToken, 'saas')).rejects.toMatchObject({
      code: 'invalid_token',
    });
    expect(await eventsOf(service, r1.sessionId, 'refresh.reuse_detected')).toBe(1);
    expect(await eventsOf(service, r1.sessionId, 'session.ended')).toBe(1);

    const db = service.app.modules.database.system();
    const transactions = await db.$queryRaw<{ xmin: string }[]>`
      SELECT xmin::text FROM sessions WHERE id = ${r1.sessionId} AND ended_at IS NOT NULL
      UNION SELECT xmin::text FROM audit_events WHERE subject_id = ${r1.sessionId}
        AND type IN ('refresh.reuse_detected', 'session.ended')
      UNION SELECT xmin::text FROM revocations WHERE key = ${r1.sessionId} AND reason = 'refresh_token.reused'`;
    expect(transactions).toHaveLength(1);
  });

  it('case 19: is noticed also when the token in between was the one that came back', async () => {
    const { sessionId, refreshToken } = await family();
    const r2 = await refresh(service, refreshToken);
    const r3 = await refresh(service, r2.refreshToken);
    await letPass(service, sessionId, 11);
    expect((await tryRefresh(service, r2.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await tryRefresh(service, r3.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await familyRows(service, sessionId)).endReason).toBe('refresh_token.reused');
  });

  it('case 19: holds for employees', async () => {
    const { email } = await givenEmployee(service);
    const first = await employee(service, email);
    const second = only(await tryRefreshEmployee(service, first.refreshToken));
    await letPass(service, first.sessionId, 11);
    expect((await tryRefreshEmployee(service, first.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await tryRefreshEmployee(service, second.refreshToken)).code).toBe('INVALID_GRANT');
    expect(await isGood(service, second.accessToken)).toBe(false);
    expect(await eventsOf(service, first.sessionId, 'refresh.reuse_detected')).toBe(1);
  });

  it('case 19: ends every branch of the session', async () => {
    const company = await givenCompany(service);
    const customer = await someone({ [company.id]: null });
    const r1 = await signIn(service, customer.email);
    const forked = await refresh(service, r1.refreshToken, { legalEntityId: company.id, branch: true });
    await letPass(service, r1.sessionId, 11);
    expect((await tryRefresh(service, r1.refreshToken)).code).toBe('INVALID_GRANT');
    for (const token of [forked.refreshToken, forked.branchedFrom!.refreshToken]) {
      expect((await tryRefresh(service, token)).code).toBe('INVALID_GRANT');
    }
  });
});

describe('a repeated request', () => {
  it('case 20: of R1, when R3 is out already, gets R2 again, byte for byte, and R3 stays the only head', async () => {
    const { sessionId, refreshToken: r1 } = await family();
    const { refreshToken: r2 } = await refresh(service, r1);
    const { refreshToken: r3 } = await refresh(service, r2);
    const before = await familyRows(service, sessionId);
    expect((await refresh(service, r1)).refreshToken).toBe(r2);
    const after = await familyRows(service, sessionId);
    expect([after.rows, after.unspent]).toEqual([before.rows, 1]);
    expect(after.isHead(r3)).toBe(true);
    expect((await refresh(service, r2)).refreshToken).toBe(r3);
  });

  it('case 20: with branches gets both successors again', async () => {
    const company = await givenCompany(service);
    const customer = await someone({ [company.id]: null });
    const { refreshToken, sessionId } = await beginFamily(service, customer.id);
    const use = { legalEntityId: company.id, branch: true };
    const first = await refresh(service, refreshToken, use);
    const again = await refresh(service, refreshToken, use);
    expect([again.refreshToken, again.branchedFrom?.refreshToken]).toEqual([
      first.refreshToken,
      first.branchedFrom?.refreshToken,
    ]);
    expect((await familyRows(service, sessionId)).unspent).toBe(2);
  });

  it('case 46: for something else within the window is refused, and nothing else happens', async () => {
    const company = await givenCompany(service);
    const customer = await someone({ [company.id]: null });
    const { refreshToken, sessionId } = await beginFamily(service, customer.id);
    const next = await refresh(service, refreshToken);
    for (const other of [{ legalEntityId: company.id }, { legalEntityId: null }, { branch: true }]) {
      expect((await tryRefresh(service, refreshToken, other)).code).toBe('INVALID_GRANT');
    }
    const { rows, endedAt } = await familyRows(service, sessionId);
    expect([rows, endedAt]).toEqual([2, null]);
    expect((await refresh(service, next.refreshToken, { legalEntityId: company.id })).legalEntity?.id).toBe(company.id);
  });

  it('case 46: for something else after the window ends the family', async () => {
    const company = await givenCompany(service);
    const customer = await someone({ [company.id]: null });
    const { refreshToken, sessionId } = await beginFamily(service, customer.id);
    const next = await refresh(service, refreshToken);
    await letPass(service, sessionId, 11);
    expect((await tryRefresh(service, refreshToken, { legalEntityId: company.id })).code).toBe('INVALID_GRANT');
    expect((await tryRefresh(service, next.refreshToken)).code).toBe('INVALID_GRANT');
  });
});

describe('the retry window', () => {
  it('case 24: 9 s are in time and 11 s are not: then the family ends', async () => {
    const { sessionId, refreshToken } = await family();
    const { refreshToken: successor } = await refresh(service, refreshToken);
    await letPass(service, sessionId, 9);
    expect((await refresh(service, refreshToken)).refreshToken).toBe(successor);
    await letPass(service, sessionId, 2);
    expect((await tryRefresh(service, refreshToken)).code).toBe('INVALID_GRANT');
    expect((await familyRows(service, sessionId)).endReason).toBe('refresh_token.reused');
    expect((await tryRefresh(service, successor)).code).toBe('INVALID_GRANT');
  });
});

describe('a token in other hands', () => {
  const present = (refreshToken: string, clientId: string) =>
    service.app.modules.requestToken(request, service.app.modules.grants.refreshToken, { refreshToken, clientId }).then(
      () => null,
      ({ code, status, message, reason, details }) => ({ code, status, message, reason, details }),
    );

  it("case 27: another client's use is refused and audited, and the family lives", async () => {
    const { sessionId, refreshToken } = await family();
    expect(await present(refreshToken, 'demo-crm')).toMatchObject({ code: 'invalid_grant' });
    expect(await eventsOf(service, sessionId, 'refresh.foreign_client')).toBe(1);
    expect((await familyRows(service, sessionId)).endedAt).toBeNull();
    expect((await refresh(service, refreshToken)).sessionId).toBe(sessionId);
  });

  it('case 27: nor can another client end the family with a token that was spent long ago', async () => {
    const { sessionId, refreshToken } = await family();
    const { refreshToken: head } = await refresh(service, refreshToken);
    await letPass(service, sessionId, 11);
    expect(await present(refreshToken, 'demo-crm')).toMatchObject({ code: 'invalid_grant' });
    expect((await refresh(service, head)).sessionId).toBe(sessionId);
  });

  it('case 28: of another tenant gets the answer to garbage, and the family lives', async () => {
    const { sessionId, refreshToken } = await family();
    const unknown = `rt_${'A'.repeat(43)}`;
    const answers = await Promise.all([
      present(refreshToken, 'rival-storefront'),
      present(unknown, 'rival-storefront'),
      present('garbage', 'rival-storefront'),
    ]);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ code: 'invalid_grant' });
    expect((await refresh(service, refreshToken)).sessionId).toBe(sessionId);
  });

  it('case 28: is told from no other refusal over GraphQL: unknown, malformed, of the other kind, ended', async () => {
    const ended = await family();
    await service.app.modules.sessions.logout(ctxOf('demo'), ended.sessionId);
    const worker = await employee(service, (await givenEmployee(service)).email);
    const visitor = await guest(service);
    const tokens = [
      `rt_${'A'.repeat(43)}`,
      'garbage',
      '',
      `rt_${'A'.repeat(10_000)}`,
      ended.refreshToken,
      worker.refreshToken,
      worker.accessToken,
      visitor.refreshToken,
    ];
    const answers = await Promise.all(tokens.map((token) => tryRefresh(service, token)));
    expect(answers.map(({ code }) => code)).toEqual(tokens.map(() => 'INVALID_GRANT'));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    // The employee's was not spent by being shown at the wrong door.
    expect((await tryRefreshEmployee(service, worker.refreshToken)).code).toBeUndefined();
    expect((await tryRefreshGuest(service, visitor.refreshToken)).code).toBeUndefined();
  });
});
