// Grants of employees: login and refresh. Scopes from the groups; the session ends twelve hours after the login.

import { beforeAll, describe, expect, it } from 'vitest';
import { builtInScopes } from '../../src/modules/scopes/registry.ts';
import { givenEmployee, givenOldUses, givenTenant } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { ctxOf, ISSUER, type Service, theService } from '../kit/service.ts';
import {
  claimsOf,
  type EmployeeToken,
  employee,
  guest,
  headerOf,
  isGood,
  PASSWORD,
  signIn,
  tryEmployeeLogin,
  tryRefreshEmployee,
} from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

describe('login', () => {
  it('success: the scopes of the groups, a quarter of an hour and twelve hours', async () => {
    const { email } = await givenEmployee(at, ['order.order_read', 'customer.customer_read']);
    expect(await employee(at, email)).toMatchObject({
      tokenType: 'Bearer',
      expiresIn: 900,
      refreshTokenExpiresIn: 12 * 3600,
      scopes: ['customer.customer_read', 'order.order_read'],
      employee: { email },
    });
  });

  it('says these things and no other', async () => {
    const person = await givenEmployee(at, ['order.order_read']);
    const { accessToken, refreshToken, sessionId } = await employee(at, person.email);
    const claims = claimsOf(accessToken);
    expect(headerOf(accessToken)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    expect(claims).toEqual({
      iss: ISSUER,
      aud: ISSUER,
      sub: person.id,
      client_id: 'scopeward',
      tenant: 'demo',
      kind: 'employee',
      session_id: sessionId,
      groups: [person.groupId],
      scope: 'order.order_read',
      iat: expect.any(Number),
      exp: claims.iat + 900,
      jti: expect.any(String),
      rev: expect.any(Number),
    });
    expect(refreshToken).toMatch(/^rt_[\w-]{43}$/);
  });

  it('unites the scopes of several groups', async () => {
    const person = await givenEmployee(at, ['order.order_read']);
    const other = await givenEmployee(at, ['customer.customer_read', 'order.order_read']);
    await at.app.modules.memberships.add(ctxOf('demo'), {
      groupId: other.groupId,
      userId: person.id,
      userType: 'EMPLOYEE',
    });
    expect((await employee(at, person.email)).scopes).toEqual(['customer.customer_read', 'order.order_read']);
  });

  it('Administrators have every scope', async () => {
    expect((await employee(at)).scopes).toEqual(expect.arrayContaining([...builtInScopes]));
  });

  it('unauthenticated: wrong password, unknown, disabled, a customer, an unknown tenant: one and the same answer', async () => {
    const { id, email } = await givenEmployee(at);
    await at.app.modules.employees.update(ctxOf('demo'), id, { enabled: false });
    const answers = await Promise.all([
      tryEmployeeLogin(at, 'support@demo.example', 'not the password'),
      tryEmployeeLogin(at, 'nobody@demo.example'),
      tryEmployeeLogin(at, email),
      tryEmployeeLogin(at, 'shopper@demo.example'),
      tryEmployeeLogin(at, 'support@demo.example', PASSWORD, 'nowhere'),
    ]);
    const seen = answers.map(({ status, data, errors }) => ({ status, data, errors }));
    expect(seen[0]?.errors[0]?.extensions.code).toBe('INVALID_GRANT');
    for (const answer of seen) expect(answer).toEqual(seen[0]);
  });

  it('invalid: a password too long to be anybody’s is BAD_USER_INPUT', async () => {
    expect((await tryEmployeeLogin(at, 'support@demo.example', 'x'.repeat(1025))).code).toBe('BAD_USER_INPUT');
  });

  it('forbidden, other tenant: an account of demo is nobody in rival', async () => {
    expect((await tryEmployeeLogin(at, 'catalog@demo.example', PASSWORD, 'rival')).code).toBe('INVALID_GRANT');
    expect(claimsOf((await employee(at, 'admin@rival.example')).accessToken).tenant).toBe('rival');
  });

  it('lives as long as the tenant says; passwords can be switched off', async () => {
    const short = await givenTenant(at, { employeeTokenSeconds: 60, employeeSessionSeconds: 300 });
    const token = only(await tryEmployeeLogin(at, short.employee.email, PASSWORD, short.id));
    expect(token).toMatchObject({ expiresIn: 60, refreshTokenExpiresIn: 300 });
    const closed = await givenTenant(at, { employeePasswords: false });
    expect((await tryEmployeeLogin(at, closed.employee.email, PASSWORD, closed.id)).code).toBe('INVALID_GRANT');
  });
});

describe('refresh', () => {
  const tryAgain = (refreshToken: string) => tryRefreshEmployee(at, refreshToken);

  it('success: a successor in the same session, and the old token is spent', async () => {
    const first = await employee(at, 'catalog@demo.example');
    const next = only<EmployeeToken>(await tryAgain(first.refreshToken));
    expect(next).toMatchObject({ sessionId: first.sessionId, scopes: first.scopes, expiresIn: 900 });
    const again = only<EmployeeToken>(await tryAgain(first.refreshToken));
    expect(again.refreshToken).toBe(next.refreshToken);
    await givenOldUses(at, first.sessionId);
    expect((await tryAgain(first.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await tryAgain(next.refreshToken)).code).toBe('INVALID_GRANT');
    expect(await isGood(at, next.accessToken)).toBe(false);
  });

  it('never extends the session beyond twelve hours after the login', async () => {
    const { refreshToken, sessionId } = await employee(at, 'catalog@demo.example');
    const { database } = at.app.modules;
    await database.system().$executeRaw`
      UPDATE sessions SET created_at = now() - interval '11 hours', expires_at = now() + interval '1 hour',
        ends_at = now() + interval '1 hour' WHERE id = ${sessionId}`;
    const next = only<EmployeeToken>(await tryAgain(refreshToken));
    expect(next.refreshTokenExpiresIn).toBeGreaterThan(3500);
    expect(next.refreshTokenExpiresIn).toBeLessThanOrEqual(3600);
    await database.system()
      .$executeRaw`UPDATE sessions SET ends_at = now() + interval '5 minutes' WHERE id = ${sessionId}`;
    expect(only<EmployeeToken>(await tryAgain(next.refreshToken)).expiresIn).toBeLessThanOrEqual(300);
  });

  it('takes the scopes from the groups of now', async () => {
    const person = await givenEmployee(at, ['order.order_read']);
    const first = await employee(at, person.email);
    await at.app.modules.memberships.remove(ctxOf('demo'), {
      groupId: person.groupId,
      userId: person.id,
      userType: 'EMPLOYEE',
    });
    const next = only<EmployeeToken>(await tryAgain(first.refreshToken));
    expect(next.scopes).toEqual([]);
    expect(await isGood(at, next.accessToken)).toBe(true);
    expect(await isGood(at, first.accessToken)).toBe(false);
  });

  it('invalid, unauthenticated: INVALID_GRANT for anything but an employee’s refresh token', async () => {
    const { refreshToken, accessToken } = await signIn(at);
    const tokens = ['', 'nonsense', refreshToken, accessToken, (await guest(at)).refreshToken];
    for (const token of tokens) expect((await tryAgain(token)).code).toBe('INVALID_GRANT');
    // The customer's token lives on: it was presented at the wrong door, not spent.
    expect((await at.app.modules.refreshTokens.find(refreshToken))?.isSpent).toBe(false);
  });

  it('forbidden: INVALID_GRANT once the employee is disabled', async () => {
    const { id, email } = await givenEmployee(at);
    const { refreshToken } = await employee(at, email);
    await at.app.modules.employees.update(ctxOf('demo'), id, { enabled: false });
    expect((await tryAgain(refreshToken)).code).toBe('INVALID_GRANT');
  });

  it('other tenant: the tokens stay of the tenant that they were of', async () => {
    const { refreshToken } = await employee(at, 'admin@rival.example');
    expect(claimsOf(only<EmployeeToken>(await tryAgain(refreshToken)).accessToken).tenant).toBe('rival');
  });
});
