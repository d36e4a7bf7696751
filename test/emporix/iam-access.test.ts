// /iam/{tenant}/access-controls…, scopes…, templates, roles…, permissions… and resources…

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenControl, givenTemplate, tokenWith } from '../kit/groups.ts';
import { type RestRequest, restClient } from '../kit/rest.ts';
import { type Service, theService } from '../kit/service.ts';
import { fewestStatements } from '../kit/statements.ts';
import { serviceToken } from '../kit/stories.ts';

let at: Service;
/** Every scope. */
let admin: string;
beforeAll(async () => {
  at = await theService();
  admin = (await serviceToken(at)).accessToken;
});

const client = restClient('iam');
const ask = (method: string, path: string, request: RestRequest = {}) =>
  client(at, method, `/iam/demo${path}`, { token: admin, ...request });
const READ_OWN = '2ac869fc-d548-4ec8-8e06-c01491314199';

describe('access controls', () => {
  it('are shown with scopes, and with role and resource where the query wants them and the caller may', async () => {
    const control = await givenControl(at, {
      roleId: 'viewer',
      resourceId: 'price.price',
      scopes: ['price.price_read'],
      restrictedTo: 'EMPLOYEE',
    });
    const path = `/access-controls/${control.id}`;
    const plain = {
      id: control.id,
      name: { en: control.name },
      scopes: ['price.price_read'],
      roleId: 'viewer',
      resourceId: 'price.price',
      restrictedTo: 'EMPLOYEE',
      predefined: false,
    };
    expect((await ask('GET', path)).body).toEqual(plain);
    const query = { expand: 'role,resource' };
    expect((await ask('GET', path, { query })).body).toMatchObject({
      role: { id: 'viewer', name: { en: 'Viewer' }, permissions: [{ id: 'read' }, { id: 'view' }] },
      resource: { id: 'price.price', code: 'price.price' },
    });
    const token = await tokenWith(at, 'iam.access_read');
    expect((await ask('GET', path, { query, token })).body).toEqual(plain);
    const missing = await ask('GET', '/access-controls/nobody');
    expect([missing.status, missing.body.resourceId]).toEqual([404, 'nobody']);
  });

  it('are listed all at once, as consoles do, and filtered', async () => {
    const { body, headers } = await ask('GET', '/access-controls', {
      query: { pageSize: '1000' },
      headers: { 'X-Total-Count': 'true', 'Accept-Language': '*' },
    });
    expect(body).toHaveLength(Number(headers.get('x-total-count')));
    expect(body.find(({ id }: any) => id === READ_OWN)).toEqual({
      id: READ_OWN,
      name: { en: 'LEGAL_ENTITY_READ_OWN_LEGAL_ENTITIES' },
      scopes: ['customermanagement.legalentity_read_own'],
      restrictedTo: 'CUSTOMER',
      predefined: true,
    });
    const found = async (query: Record<string, string>) => (await ask('GET', '/access-controls', { query })).body;
    expect(await found({ q: 'predefined:true restrictedTo:customer name:~read_own_legal' })).toHaveLength(1);
    const { id } = await givenControl(at, { roleId: 'manager', resourceId: 'price.price' });
    expect((await found({ roleId: 'manager', resourceId: 'price.price', q: `id:${id}` })).length).toBe(1);
    expect(await found({ roleId: 'viewer', q: `id:${id}` })).toEqual([]);
    expect((await ask('GET', '/access-controls', { query: { q: 'scopes:x' } })).status).toBe(400);
  });

  it('are expanded by as many statements for many as for one', async () => {
    const mark = randomUUID();
    const given = { roleId: 'viewer', resourceId: 'price.price' };
    const list = () => ask('GET', '/access-controls', { query: { q: `name:~${mark}`, expand: 'role,resource' } });
    await givenControl(at, { ...given, name: `a ${mark}` });
    const one = await fewestStatements(at, list);
    for (const letter of 'bcdef') await givenControl(at, { ...given, name: `${letter} ${mark}` });
    expect(await fewestStatements(at, list)).toHaveLength(one.length);
    expect((await list()).body).toHaveLength(6);
  });

  it('are made and changed by PUT', async () => {
    const id = randomUUID();
    const put = (body: object) => ask('PUT', `/access-controls/${id}`, { body });
    const first = await put({ scopes: ['price.price_read'], domains: ['Prices'], restrictedTo: 'EMPLOYEE' });
    expect([first.status, first.body]).toEqual([201, { id }]);
    const read = async () => (await ask('GET', `/access-controls/${id}`)).body;
    expect(await read()).toMatchObject({ name: { en: id }, scopes: ['price.price_read'], restrictedTo: 'EMPLOYEE' });
    const second = await put({ name: { en: 'Prices' }, scopes: ['price.price_manage'], metadata: { version: 1 } });
    expect([second.status, second.body]).toEqual([204, undefined]);
    expect(await read()).toMatchObject({ name: { en: 'Prices' }, scopes: ['price.price_manage'] });
    expect((await put({ scopes: ['price.price_read'], metadata: { version: 1 } })).status).toBe(400);
    expect((await put({ scopes: ['price.price_read'], restrictedTo: 'CUSTOMER' })).status).toBe(400);
    expect((await read()).scopes).toEqual(['price.price_manage']);
  });

  it.each([
    ['scopes', {}],
    ['scopes', { scopes: [] }],
    ['scopes', { scopes: ['no.such_scope'] }],
    ['restrictionAware', { scopes: ['price.price_read'], restrictionAware: true }],
    ['vendorAware', { scopes: ['price.price_read'], vendorAware: true }],
  ])('are refused for a %s that means nothing here', async (field, body) => {
    const answer = await ask('PUT', `/access-controls/${randomUUID()}`, { body });
    expect(answer.status).toBe(400);
    expect(answer.body.details[0]).toMatch(new RegExp(`^${field}: `));
  });

  it('are deleted, but for the predefined ones, which stay as they are', async () => {
    const { id } = await givenControl(at, { scopes: ['price.price_read'] });
    expect((await ask('DELETE', `/access-controls/${id}`)).status).toBe(204);
    expect((await ask('DELETE', `/access-controls/${id}`)).status).toBe(204);
    expect((await ask('GET', `/access-controls/${id}`)).status).toBe(404);
    const refused = await ask('DELETE', `/access-controls/${READ_OWN}`);
    expect([refused.status, refused.body.code, refused.body.status]).toEqual([403, 403, 'Forbidden']);
    expect(refused.body.message).toMatch(/predefined/);
    expect((await ask('PUT', `/access-controls/${READ_OWN}`, { body: { scopes: ['price.price_read'] } })).status).toBe(
      400,
    );
    expect((await ask('GET', `/access-controls/${READ_OWN}`)).body.scopes).toHaveLength(1);
  });
});

describe('scopes', () => {
  it('are listed by id and filtered, predefined and own ones', async () => {
    const { body } = await ask('GET', '/scopes', { query: { q: 'domain:iam id:~GROUP_READ predefined:true' } });
    expect(body.map(({ id }: any) => id)).toEqual(['iam.group_read', 'iam.group_read_own']);
    expect(body[0]).toEqual({
      id: 'iam.group_read',
      description: { en: expect.any(String) },
      domain: 'iam',
      predefined: true,
    });
    const found = async (query: Record<string, string>) =>
      (await ask('GET', '/scopes', { query })).body.map(({ id }: any) => id);
    expect(await found({ q: 'id:(iam.group_read,iam.group_manage)', sort: 'id:desc' })).toEqual([
      'iam.group_read',
      'iam.group_manage',
    ]);
    expect(await found({ q: 'id:null' })).toEqual([]);
    expect(await found({ q: 'id:~100%' })).toEqual([]);
    expect((await ask('GET', '/scopes', { query: { q: 'tenant:demo' } })).status).toBe(400);
  });

  it('are defined and described by PUT, and deleted', async () => {
    const id = `rest.thing${randomUUID().slice(0, 8)}_read2`;
    const put = (body: object) => ask('PUT', `/scopes/${id}`, { body });
    const first = await put({ description: { de: 'Lesen', en: 'Reads things' }, domain: 'things' });
    expect([first.status, first.body]).toEqual([201, { id }]);
    expect((await ask('GET', `/scopes/${id}`)).body).toEqual({
      id,
      description: { en: 'Reads things' },
      domain: 'rest',
      predefined: false,
    });
    expect((await put({ description: 'Reads all things' })).status).toBe(204);
    expect((await put({})).status).toBe(204);
    expect((await ask('GET', `/scopes/${id}`)).body.description).toEqual({ en: 'Reads all things' });
    expect((await ask('DELETE', `/scopes/${id}`)).status).toBe(204);
    expect((await ask('GET', `/scopes/${id}`)).status).toBe(404);
    expect((await ask('DELETE', `/scopes/${id}`)).status).toBe(204);
  });

  it('are refused where they are none, mean a built-in one, or are still given', async () => {
    const body = { description: 'x' };
    expect((await ask('PUT', '/scopes/nothing', { body })).body.details[0]).toMatch(/^id: /);
    expect((await ask('PUT', '/scopes/iam.group_read', { body })).status).toBe(400);
    expect((await ask('PUT', '/scopes/iam.group_view', { body })).status).toBe(400);
    expect((await ask('DELETE', '/scopes/iam.group_read')).status).toBe(403);
    const id = `rest.thing${randomUUID().slice(0, 8)}_do`;
    await ask('PUT', `/scopes/${id}`, { body });
    await givenControl(at, { scopes: [id] });
    expect((await ask('DELETE', `/scopes/${id}`)).status).toBe(403);
    expect((await ask('GET', `/scopes/${id}`)).status).toBe(200);
    const missing = await ask('GET', '/scopes/unknown.scope');
    expect([missing.status, missing.body]).toEqual([
      404,
      { resourceId: 'unknown.scope', code: 404, status: 'Not Found', message: 'Scope not found.' },
    ]);
  });
});

describe('templates', () => {
  it('are listed with what they bundle, expanded by as many statements for many as for one', async () => {
    const mark = randomUUID();
    const control = await givenControl(at, { name: mark, scopes: ['price.price_read'] });
    const template = await givenTemplate(at, [control.id]);
    const list = async (query = {}, token = admin) =>
      (await ask('GET', '/templates', { query: { pageSize: '1000', ...query }, token })).body;
    const found = (await list({ expand: 'accessControls' })).find(({ id }: any) => id === template.id);
    expect(found).toEqual({
      id: template.id,
      name: { en: template.name },
      accessControls: [control.id],
      accessControlsDocuments: [expect.objectContaining({ id: control.id, scopes: ['price.price_read'] })],
    });
    const summary = await list({}, await tokenWith(at, 'iam.template_read'));
    expect(summary.find(({ id }: any) => id === template.id)).toEqual({ id: template.id, name: { en: template.name } });
    const few = await fewestStatements(at, () => list({ expand: 'accessControls' }));
    for (let i = 0; i < 4; i += 1) await givenTemplate(at, [(await givenControl(at, {})).id]);
    expect(await fewestStatements(at, () => list({ expand: 'accessControls' }))).toHaveLength(few.length);
  });
});

describe('roles, permissions and resources', () => {
  it('are shown as access controls are made of them', async () => {
    expect((await ask('GET', '/roles/manager')).body).toEqual({
      id: 'manager',
      name: { en: 'Manager' },
      permissions: [{ id: 'manage' }, { id: 'read' }, { id: 'view' }],
    });
    expect((await ask('GET', '/permissions/read')).body).toMatchObject({
      id: 'read',
      code: 'read',
      name: { en: 'read' },
    });
    expect((await ask('GET', '/resources/iam.group')).body).toMatchObject({ id: 'iam.group', code: 'iam.group' });
    const token = await tokenWith(at, 'iam.role_read');
    expect((await ask('GET', '/roles/manager', { token })).body).not.toHaveProperty('permissions');
  });

  it('are listed page by page, and counted', async () => {
    for (const path of ['/roles', '/permissions', '/resources']) {
      const headers = { 'X-Total-Count': 'true' };
      const all = await ask('GET', path, { query: { pageSize: '1000' }, headers });
      expect(all.headers.get('x-total-count'), path).toBe(String(all.body.length));
      const second = await ask('GET', path, { query: { pageSize: '1', pageNumber: '2' } });
      expect(second.body, path).toEqual([all.body[1]]);
      const last = await ask('GET', path, { query: { pageSize: '1', sort: 'name:desc' } });
      expect(last.body, path).toEqual([all.body.at(-1)]);
    }
  });

  it('are 404 where there are none', async () => {
    for (const path of ['/roles/nobody', '/permissions/nobody', '/resources/nobody'])
      expect((await ask('GET', path)).body, path).toMatchObject({ resourceId: 'nobody', code: 404 });
  });
});
