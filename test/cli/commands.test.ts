// Help, mistakes, keys, sessions and explain: what a command does, what it says, and how it fails.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { command, folderOfTest, givenNewTenant, importInto, theCommandedService } from '../kit/command-line.ts';
import { givenCustomer } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { ctxOf, type Service } from '../kit/service.ts';
import { employee, isGood, PASSWORD, serviceToken, signIn, tryEmployeeLogin } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theCommandedService();
});
const cli = (...args: string[]) => command(at, args);
const failure = (err: string) => ({ code: 1, out: '', err });

describe('help', () => {
  it.each([
    'tenant create',
    'tenant list',
    'tenant suspend',
    'keys list',
    'keys rotate',
    'keys retire',
    'sessions list',
    'sessions end',
    'sessions end-all',
    'export',
    'import',
    'explain',
  ])('%s has its own, with examples', async (name) => {
    const { code, out, err } = await cli(...name.split(' '), '--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`Usage: cli ${name} [options]`);
    expect(out).toContain(`Examples:\n  $ npm run cli -- ${name}`);
    expect((await cli('--help')).out).toContain(`  ${name.split(' ')[0]} `);
  });
});

describe('a mistake is one sentence on standard error, and exit code 1', () => {
  it.each([
    [['tenants'], "error: unknown command 'tenants'\n(Did you mean tenant?)\n"],
    [['export'], "error: required option '--tenant <id>' not specified\n"],
    [['export', '--tenant', 'demo', '--all'], "error: unknown option '--all'\n"],
    [['export', '--tenant', 'nowhere'], 'There is no tenant nowhere, or it is suspended.\n'],
    [['keys', 'retire', 'k', '--tenant', 'demo'], "error: required option '--reason <text>' not specified\n"],
    [['keys', 'retire', 'k', '--tenant', 'demo', '--reason', 'x'], 'Signing key not found.\n'],
    [['sessions', 'end', 'none', '--tenant', 'demo'], 'Session not found.\n'],
    [['sessions', 'end-all', '--tenant', 'demo'], 'Say whose: --customer or --employee.\n'],
    [['sessions', 'list', '--tenant', 'demo', '--customer', 'x@y.example'], 'There is no customer x@y.example.\n'],
    [['sessions', 'list', '--tenant', 'demo', '--employee', 'nobody'], 'There is no employee nobody.\n'],
    [['sessions', 'list', '--tenant', 'demo', '--limit', 'all'], '--limit is a number from 1 to 10000.\n'],
    [['tenant', 'suspend', 'nowhere'], 'Tenant not found.\n'],
  ])('%j', async (args, err) => expect(await cli(...args)).toEqual(failure(err)));

  it('of two owners one is refused', async () => {
    const { code, err } = await cli('sessions', 'end-all', '--tenant', 'demo', '--customer', 'a', '--employee', 'b');
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('cannot be used with option') });
  });
});

describe('keys', () => {
  it('are listed without their private part, rotated, and retired with a reason', async () => {
    const { tenant } = await givenNewTenant(at);
    const list = async () => JSON.parse((await cli('keys', 'list', '--tenant', tenant, '--json')).out);
    const withStatus = async (status: string) => (await list()).find((key: any) => key.status === status).kid;
    const [next, current] = [await withStatus('NEXT'), await withStatus('CURRENT')];
    expect(Object.keys((await list())[0])).toEqual(['kid', 'algorithm', 'status', 'createdAt', 'retiresAt']);
    expect((await cli('keys', 'list', '--tenant', tenant)).out).toMatch(/^KID +ALGORITHM +STATUS +CREATED +LEAVES/);

    const { accessToken } = only(await tryEmployeeLogin(at, `admin@${tenant}.example`, PASSWORD, tenant));
    expect((await cli('keys', 'rotate', '--tenant', tenant)).out).toBe(`Key ${next} signs from now on.\n`);
    expect(await isGood(at, accessToken)).toBe(true);
    const { out } = await cli('keys', 'retire', current, '--tenant', tenant, '--reason', 'The backup was stolen');
    expect(out).toBe(`Whatever key ${current} signed is refused from now on.\n`);
    expect(await isGood(at, accessToken)).toBe(false);
    const { auditEvent } = at.app.modules.database.forTenant({ tenantId: tenant });
    expect(await auditEvent.findFirst({ where: { type: 'signing_key.retired' } })).toMatchObject({
      subjectId: current,
      reason: 'The backup was stolen',
      actor: { kind: 'operator', id: '' },
      requestId: 'command-line',
    });
  });
});

describe('sessions', () => {
  it('are listed by owner, ended one by one, and all at once', async () => {
    const { id, email } = await givenCustomer(at);
    const [one, two, three] = [await signIn(at, email), await signIn(at, email), await signIn(at, email)];
    const list = async (...who: string[]) =>
      JSON.parse((await cli('sessions', 'list', '--tenant', 'demo', '--json', ...who)).out);
    const ids = async (...who: string[]) => (await list(...who)).map((session: any) => session.id);
    expect(await ids('--customer', email)).toEqual([three.sessionId, two.sessionId, one.sessionId]);
    expect(await ids('--customer', id, '--limit', '1')).toEqual([three.sessionId]);
    expect(await list('--limit', '1')).toEqual([
      {
        id: three.sessionId,
        kind: 'CUSTOMER',
        ownerId: id,
        clientId: 'demo-storefront',
        legalEntityId: null,
        createdAt: expect.any(String),
        expiresAt: expect.any(String),
        ipAddress: '127.0.0.1',
      },
    ]);
    expect((await cli('sessions', 'list', '--tenant', 'demo')).out).toContain(`${two.sessionId}  CUSTOMER  ${id}`);

    const ended = await cli('sessions', 'end', one.sessionId, '--tenant', 'demo');
    expect(ended).toEqual({ code: 0, out: `Session ${one.sessionId} has ended.\n`, err: '' });
    expect([await isGood(at, one.accessToken), await isGood(at, two.accessToken)]).toEqual([false, true]);
    const all = await cli('sessions', 'end-all', '--tenant', 'demo', '--customer', email);
    expect(all.out).toBe('2 sessions have ended.\n');
    expect([await isGood(at, two.accessToken), await isGood(at, three.accessToken)]).toEqual([false, false]);
    expect(await ids('--customer', id)).toEqual([]);
  });

  it('of an employee as well', async () => {
    const { tenant } = await givenNewTenant(at);
    const { accessToken } = only(await tryEmployeeLogin(at, `admin@${tenant}.example`, PASSWORD, tenant));
    const { out } = await cli('sessions', 'end-all', '--tenant', tenant, '--employee', `admin@${tenant}.example`);
    expect(out).toBe('1 session has ended.\n');
    expect(await isGood(at, accessToken)).toBe(false);
  });
});

describe('explain', () => {
  const explain = (operation: string, principal: string, ...more: string[]) =>
    cli('explain', operation, '--tenant', 'demo', '--principal', principal, ...more);

  it('says field by field who may, through what, and what is lacking', async () => {
    const { code, out } = await explain('{ groups { nodes { id } } }', 'employee:support@demo.example');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^Allowed\.\n\nMAY +PATH +FIELD +NEEDS +WHY\nyes +groups +Query\.groups .+iam\.group_read by group Support/,
    );
    expect(out).toContain('Scopes that suffice: iam.group_read');
    const refused = await explain('{ groups { nodes { id } } }', 'client:demo-crm');
    expect(refused.out).toMatch(/^Refused\.\n\nMAY .+\nNO +groups +Query\.groups .+lacks iam\.group_read/);
  });

  it('--json answers as the field of the schema does', async () => {
    const path = join(folderOfTest(), 'query.graphql');
    writeFileSync(
      path,
      'query ($deep: Boolean!) { groups { nodes { id accessControls @include(if: $deep) { id } } } }',
    );
    const variables = '{"deep":true}';
    const principal = 'employee:catalog@demo.example';
    const { out } = await explain(`@${path}`, principal, '--variables', variables, '--json');
    const found = (await at.app.modules.employees.findByEmail(ctxOf('demo'), 'catalog@demo.example'))!;
    const { accessToken: bearer } = await employee(at);
    const query = `query ($operation: String!, $principal: ID) { explainAccess(operation: $operation, variables: { deep: true }, principal: $principal) {
      allowed mayHaveToken minimalScopes fields { path field allowed needs requires missing grantedBy { scope source } } } }`;
    const operation = 'query ($deep: Boolean!) { groups { nodes { id accessControls @include(if: $deep) { id } } } }';
    const asked = only(await graphql(at, query, { bearer, variables: { operation, principal: found.id } }));
    expect(JSON.parse(out)).toEqual(asked);
    expect(asked.allowed).toBe(false);
  });

  it('for a customer in a company', async () => {
    const { id } = await givenCustomer(at, { acme: 'ADMIN' });
    const document = '{ groups { totalCount } }';
    expect((await explain(document, `customer:${id}`)).out).toMatch(/^Refused/);
    expect((await explain(document, `customer:${id}`, '--legal-entity', 'acme')).out).toMatch(/^Allowed/);
  });

  it.each([
    ['an unknown person', ['{ tenant { id } }', 'employee:no@demo.example'], 'There is no employee no@demo.example.\n'],
    [
      'variables that are no JSON',
      ['{ tenant { id } }', 'client:demo-crm', '--variables', '{'],
      '--variables: is not JSON.\n',
    ],
    ['an operation that is none', ['{ nothing }', 'client:demo-crm'], /^Line 1, column 3: Cannot query field/],
    ['a file that is not there', ['@/nowhere', 'client:demo-crm'], /^ENOENT: no such file/],
  ])('refuses %s', async (_what, [operation, principal, ...more], err) => {
    const outcome = await explain(operation!, principal!, ...more);
    expect({ code: outcome.code, out: outcome.out }).toEqual({ code: 1, out: '' });
    expect(outcome.err).toMatch(err);
    expect(outcome.err.trimEnd().split('\n')).toHaveLength(1);
  });
});

it('what is shown of names cannot steer the terminal', async () => {
  const { tenant } = await givenNewTenant(at);
  const name = 'Red \u001b[31m and \u202e backwards';
  const groups = { bad: { name, userType: 'CUSTOMER', accessControlIds: [], templateIds: [] } };
  const { out } = await importInto(at, tenant, { version: 1, groups });
  expect(out).toContain('Red \\u001b[31m and \\u202e backwards');
  expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

it('--verbose shows where a failure comes from, and otherwise no stack is seen', async () => {
  const { err } = await cli('keys', 'retire', 'k', '--tenant', 'demo', '--reason', 'x', '--verbose');
  expect(err).toMatch(/^Signing key not found\.\nDomainError: .+\n +at /);
  expect((await serviceToken(at)).accessToken).toBeTruthy();
});
