// What stands in the audit trail, told by Query.auditEvents: who, for whom, what, from where; and never a secret.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { givenClient, givenCompany, givenCustomer, givenTenant } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { ctxOf, type Service, startService } from '../kit/service.ts';
import {
  employee,
  guest,
  PASSWORD,
  refresh,
  signIn,
  tryAssist,
  tryLogin,
  tryRefresh,
  tryServiceToken,
} from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await startService();
});
afterAll(() => at?.stop());

const rows = () => at.app.modules.database.system();
const demo = ctxOf('demo');
const operator = { actor: { kind: 'operator', id: '' }, ipAddress: '192.0.2.1', requestId: 'test-request' };

/** The events about something, oldest first, without what is different every time. */
async function trail(subjectId: string, type?: string): Promise<Record<string, unknown>[]> {
  const query = `query ($subjectId: ID, $type: String) { auditEvents(subjectId: $subjectId, type: $type, first: 200) {
    nodes { type outcome reason actor subject legalEntityId requestId ipAddress details } } }`;
  const { accessToken: bearer } = await employee(at, 'support@demo.example');
  return only(await graphql(at, query, { bearer, variables: { subjectId, type } })).nodes.reverse();
}

describe('a story', () => {
  const secrets = new Set<string>([PASSWORD]);
  const requestOf = ({ headers }: Answer) => ({ requestId: headers.get('x-request-id'), ipAddress: '127.0.0.1' });
  /** Remembers what must never be seen again. */
  function keep<Token extends object>(token: Token): Token {
    for (const [name, value] of Object.entries(token)) {
      if (/token$/i.test(name) && value) secrets.add(value);
    }
    return token;
  }

  it('logins, good and bad: who, from where, in which request, and why not', async () => {
    const { id, email } = await givenCustomer(at);
    const { accessToken: anonymousToken, sessionId } = keep(await guest(at));
    const wrong = 'no password of anybody';
    secrets.add(wrong);
    const failed = await tryLogin(at, { email, password: wrong, anonymousToken });
    const succeeded = await tryLogin(at, { email, anonymousToken });
    keep(only(succeeded));
    expect(await trail(id, 'login.failed')).toEqual([
      {
        type: 'login.failed',
        outcome: 'REFUSED',
        reason: 'wrong password',
        actor: { kind: 'nobody', id: '' },
        subject: { kind: 'customer', id },
        legalEntityId: null,
        details: {},
        ...requestOf(failed),
      },
    ]);
    expect(await trail(sessionId)).toEqual([
      {
        type: 'login.succeeded',
        outcome: 'SUCCESS',
        reason: null,
        actor: { kind: 'customer', id },
        subject: { kind: 'session', id: sessionId },
        legalEntityId: null,
        details: {},
        ...requestOf(succeeded),
      },
    ]);
  });

  it('companies: a switch that is refused, one that is not, and the logout', async () => {
    const { id, email } = await givenCustomer(at, { acme: 'BUYER' });
    const own = keep(await signIn(at, email));
    const refused = await tryRefresh(at, own.refreshToken, { legalEntityId: 'globex' });
    const switched = await tryRefresh(at, own.refreshToken, { legalEntityId: 'acme' });
    const { accessToken: bearer } = keep(only(switched));
    const ended = await graphql(at, 'mutation { logout { sessionsEnded } }', { bearer });
    expect(await trail(id, 'company.switch_refused')).toMatchObject([
      {
        outcome: 'REFUSED',
        actor: { kind: 'customer', id },
        details: { legalEntityId: 'globex' },
        ...requestOf(refused),
      },
    ]);
    const actor = { kind: 'customer', id };
    expect((await trail(own.sessionId)).slice(1)).toMatchObject([
      {
        type: 'token.company_switched',
        actor,
        legalEntityId: 'acme',
        details: { from: null, to: 'acme' },
        ...requestOf(switched),
      },
      { type: 'session.ended', actor, reason: 'logout', ...requestOf(ended) },
    ]);
  });

  it('an employee at work: a scope, a session of somebody else, and acting for a customer', async () => {
    const admin = keep(await employee(at));
    const actor = { kind: 'employee', id: admin.employee.id };
    const ask = (query: string, variables: object, bearer = admin.accessToken) =>
      graphql(at, query, { bearer, variables: { ...variables } });
    const id = `story.page_${randomUUID().slice(0, 8)}`;
    const created = await ask('mutation ($i: CreateScopeInput!) { createScope(input: $i) { id } }', {
      i: { id, description: 'Of the story.' },
    });
    const deleted = await ask('mutation ($id: ID!) { deleteScope(id: $id) }', { id });
    const subject = { kind: 'scope', id };
    expect(await trail(id)).toMatchObject([
      { type: 'scope.created', actor, subject, ...requestOf(created) },
      { type: 'scope.deleted', actor, subject, ...requestOf(deleted) },
    ]);

    const { sessionId, customer } = keep(await signIn(at, (await givenCustomer(at)).email));
    const revoked = await ask('mutation ($id: ID!) { revokeSession(id: $id) { revoked } }', { id: sessionId });
    expect((await trail(sessionId)).slice(1)).toMatchObject([
      { type: 'session.ended', actor, reason: 'session.revoked', ...requestOf(revoked) },
    ]);

    const assisting = await tryAssist(at, admin.accessToken, { customerId: customer.id, reason: 'On the phone' });
    const assisted = keep(only(assisting));
    const left = await ask('mutation { logout { sessionsEnded } }', {}, assisted.accessToken);
    expect(await trail(customer.id, 'token.assisted')).toMatchObject([
      { actor, reason: 'On the phone', details: { sessionId: assisted.sessionId }, ...requestOf(assisting) },
    ]);
    expect(await trail(assisted.sessionId)).toMatchObject([
      { type: 'session.ended', actor: { ...actor, onBehalfOf: customer.id }, ...requestOf(left) },
    ]);
  });

  it('clients: a secret that is wrong, and a token that a client gives back', async () => {
    const { id, clientSecret } = await givenClient(at, ['price.price_read']);
    const wrong = `${clientSecret}x`;
    secrets.add(clientSecret);
    const refused = await tryServiceToken(at, id, wrong);
    // The answer does not wait for the trail.
    await vi.waitFor(async () =>
      expect(await trail(id, 'client.authentication_failed')).toMatchObject([
        { outcome: 'REFUSED', actor: { kind: 'nobody', id: '' }, ...requestOf(refused) },
      ]),
    );
    const { accessToken: bearer } = keep(only(await tryServiceToken(at, id, clientSecret)));
    const { jti } = JSON.parse(Buffer.from(bearer.split('.')[1]!, 'base64url').toString());
    const revoked = await graphql(at, 'mutation ($t: String!) { revokeToken(input: { token: $t }) { revoked } }', {
      bearer,
      variables: { t: bearer },
    });
    expect(await trail(jti)).toMatchObject([
      {
        type: 'token.revoked',
        actor: { kind: 'client', id },
        subject: { kind: 'token', id: jti },
        ...requestOf(revoked),
      },
    ]);
  });

  it('a refresh token that is stolen, and a password that is changed', async () => {
    const { id, email } = await givenCustomer(at);
    const stolen = keep(await signIn(at, email));
    keep(await refresh(at, stolen.refreshToken));
    await rows().$executeRaw`UPDATE refresh_tokens SET spent_at = spent_at - interval '1 hour'
      WHERE session_id = ${stolen.sessionId} AND spent_at IS NOT NULL`;
    const reused = await tryRefresh(at, stolen.refreshToken);
    expect((await trail(stolen.sessionId, 'refresh.reuse_detected')).slice(0, 1)).toMatchObject([
      { outcome: 'REFUSED', actor: { kind: 'customer', id }, ...requestOf(reused) },
    ]);
    const { accessToken: bearer } = keep(await signIn(at, email));
    const next = 'another password of the story';
    secrets.add(next);
    const changed = await graphql(
      at,
      'mutation ($i: ChangePasswordInput!) { changePassword(input: $i) { sessionsEnded } }',
      { bearer, variables: { i: { currentPassword: PASSWORD, newPassword: next } } },
    );
    expect(await trail(id, 'customer.password_changed')).toMatchObject([
      { actor: { kind: 'customer', id }, ...requestOf(changed) },
    ]);
  });

  it('no password, token, secret or hash is in any row, in whatever column', async () => {
    expect(secrets.size).toBeGreaterThan(20);
    const text = JSON.stringify(await rows().auditEvent.findMany());
    expect(text.length).toBeGreaterThan(10_000);
    for (const secret of secrets) expect(text.includes(secret), secret).toBe(false);
    expect(text).not.toMatch(/eyJ|argon2|-secret"/);
  });
});

describe('what operators and administration change', () => {
  it('a customer: which fields, and `enabled` before and after; a name is not kept, and nothing is told of no change', async () => {
    const { id } = await givenCustomer(at);
    const { customers } = at.app.modules;
    await customers.update(demo, id, { firstName: 'Zebulon', lastName: null });
    await customers.update(demo, id, { firstName: 'Zebulon', enabled: false });
    await customers.update(demo, id, { firstName: 'Zebulon', enabled: false });
    const common = { type: 'customer.updated', subject: { kind: 'customer', id }, ...operator };
    expect(await trail(id, 'customer.updated')).toMatchObject([
      { ...common, details: { changed: ['firstName'], before: { enabled: true }, after: { enabled: true } } },
      { ...common, details: { changed: ['enabled'], before: { enabled: true }, after: { enabled: false } } },
    ]);
    expect(JSON.stringify(await rows().auditEvent.findMany({ where: { subjectId: id } }))).not.toContain('Zebulon');
  });

  it('a company, and who is assigned to it: once each, however often asked', async () => {
    const parent = await givenCompany(at);
    const id = `company-${randomUUID()}`;
    await at.app.modules.legalEntities.create(demo, { id, name: 'Branch', parentId: parent.id });
    expect(await trail(id, 'legal_entity.created')).toMatchObject([
      { type: 'legal_entity.created', ...operator, details: { after: { name: 'Branch', parentId: parent.id } } },
    ]);
    await expect(at.app.modules.legalEntities.create(demo, { id, name: 'Again' })).rejects.toThrow();
    expect(await trail(id, 'legal_entity.created')).toHaveLength(1);

    const customer = await givenCustomer(at);
    const { contactAssignments } = at.app.modules;
    await contactAssignments.assign(demo, customer.id, id);
    await contactAssignments.assign(demo, customer.id, id);
    await contactAssignments.unassign(demo, { customerId: customer.id, legalEntityId: id });
    const common = { subject: { kind: 'customer', id: customer.id }, legalEntityId: id, ...operator };
    for (const type of ['contact.assigned', 'contact.unassigned'])
      expect(await trail(customer.id, type)).toMatchObject([common]);
  });

  it('a tenant: in its own trail, not in that of others', async () => {
    const { id } = await givenTenant(at);
    await at.app.modules.tenants.suspend(id);
    await expect(at.app.modules.tenants.create({ id, name: 'Again' })).rejects.toThrow();
    const events = await rows().auditEvent.findMany({ where: { subjectId: id }, orderBy: { at: 'asc' } });
    const common = { tenantId: id, actor: operator.actor, subject: { kind: 'tenant', id }, requestId: 'operator' };
    expect(events).toMatchObject([
      { type: 'tenant.created', ...common, details: { after: { name: id } } },
      { type: 'tenant.suspended', ...common },
    ]);
    expect(await trail(id)).toEqual([]);
  });
});
