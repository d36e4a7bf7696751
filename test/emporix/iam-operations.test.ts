// /iam/{tenant}/…: every operation of the specification is there, for whoever has its scopes and belongs to the tenant.

import { beforeAll, describe, expect, it } from 'vitest';
import { tokenWith } from '../kit/groups.ts';
import { hasSpecifications, operationsOf, restClient } from '../kit/rest.ts';
import { type Service, theService } from '../kit/service.ts';
import { employee, guest } from '../kit/stories.ts';

const ask = restClient('iam');
let at: Service;
let rival: string;
let scopeless: string;
beforeAll(async () => {
  at = await theService();
  rival = (await employee(at, 'admin@rival.example')).accessToken;
  scopeless = await tokenWith(at, 'price.price_read');
});

const operations = () =>
  at.app.routes
    .filter(({ path }) => path.startsWith('/iam/'))
    .flatMap(({ methods, path, access }) => methods.map((method) => ({ method, path, access })));
const demo = (path: string) =>
  path.replace('{tenant}', 'demo').replace('{userType}', 'EMPLOYEE').replace(/{\w+}/g, 'x');
const needing = () =>
  operations().flatMap((each) => (each.access.kind === 'scopes' ? [{ ...each, access: each.access }] : []));
const fault = { fault: { faultstring: 'Invalid access token', detail: { errorcode: 'oauth.v2.InvalidAccessToken' } } };

it.runIf(hasSpecifications)('has the operations that the specification has, and no other', () => {
  const found = operations().map(({ method, path }) => `${method} ${path}`);
  expect(found.sort()).toEqual(operationsOf('iam').sort());
});

describe('every operation', () => {
  it('answers 401 without a token, with one that is none, and with one of another tenant, whatever it may do there', async () => {
    const { accessToken: rivalsGuest } = await guest(at, { tenant: 'rival', clientId: 'rival-storefront' });
    for (const { method, path } of operations()) {
      for (const token of [undefined, 'nonsense', rival, rivalsGuest]) {
        const { status, body } = await ask(at, method, demo(path), { token });
        expect([status, body], `${method} ${path}`).toEqual([401, fault]);
      }
    }
  });

  it('answers 403 without its scope, which is named', async () => {
    for (const { method, path, access } of needing()) {
      const { status, body } = await ask(at, method, demo(path), { token: scopeless });
      expect([status, body.code, body.status, body.message], `${method} ${path}`).toEqual([
        403,
        403,
        'Forbidden',
        'You need a scope for this action.',
      ]);
      expect(body.details[0]).toMatch(/^Required scope\(s\): /);
      for (const scope of access.scopes.flat()) expect(body.details[0]).toContain(scope);
    }
  });

  it('needs one of its scopes and no other', async () => {
    const tokens = new Map<string, string>();
    for (const { method, path, access } of needing()) {
      const [[scope]] = access.scopes as [[string]];
      const token = tokens.get(scope) ?? (await tokenWith(at, scope));
      tokens.set(scope, token);
      const body = method === 'POST' || method === 'PUT' ? {} : undefined;
      const { status } = await ask(at, method, demo(path), { token, body });
      expect([200, 204, 400, 404], `${method} ${path}`).toContain(status);
    }
  });

  it('is not for a tenant that the header contradicts, and is there for one that it names', async () => {
    const token = await tokenWith(at, 'iam.group_read');
    const named = (tenant: string) =>
      ask(at, 'GET', '/iam/demo/groups', { token, headers: { 'Emporix-Tenant': tenant } });
    expect((await named('demo')).status).toBe(200);
    expect((await named('rival')).status).toBe(400);
  });
});

it('case 105: texts that no database keeps are refused, in the path, the query and the body', async () => {
  const token = await tokenWith(at, 'iam.group_read', 'iam.group_manage');
  expect((await ask(at, 'GET', '/iam/demo/groups/a%00b', { token })).status).toBe(400);
  expect((await ask(at, 'GET', '/iam/demo/groups', { token, query: { name: 'a\0b' } })).status).toBe(400);
  expect((await ask(at, 'POST', '/iam/demo/groups', { token, body: { name: 'a\0b' } })).status).toBe(400);
  expect((await ask(at, 'POST', '/iam/demo/groups', { token, body: { name: { en: 'a\ud800' } } })).status).toBe(400);
});
