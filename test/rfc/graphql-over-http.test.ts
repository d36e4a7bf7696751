// GraphQL over HTTP, judged by graphql-http's audit of a running service, and the twelve checks of graphql-cop
// rewritten against the production profile. security.md section 5.

import { auditServer } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createDatabaseIn } from '../kit/postgres.ts';
import { type Service, startService, theService } from '../kit/service.ts';

/** What is not ok: `failed` breaks a MUST or SHOULD, `notices` are what a server MAY leave out. */
async function audit(service: Service) {
  const results = await auditServer({ url: `${service.url}/graphql`, fetchFn: fetch });
  const idsOf = (...statuses: string[]) =>
    results
      .filter(({ status }) => statuses.includes(status))
      .map(({ id }) => id)
      .sort();
  return { ok: idsOf('ok').length, failed: idsOf('error', 'warn'), notices: idsOf('notice') };
}

/** POST with variables, and GET with variables: both ask for `__type`. */
const introspecting = { byPost: ['28B9', '2EA1'], byGet: ['6A70', 'D6D5'] };

it('the development profile passes all 61 audits of graphql-http', async () => {
  expect(await audit(await theService())).toEqual({ ok: 61, failed: [], notices: [] });
});

it('with introspection off exactly the audits fail that introspect', async () => {
  const service = await startService({ INTROSPECTION: 'false' });
  try {
    expect(await audit(service)).toEqual({ ok: 57, failed: introspecting.byPost, notices: introspecting.byGet });
  } finally {
    await service.stop();
  }
});

describe.skipIf(!inject('postgresUrl'))('graphql-cop finds nothing in the production profile', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService({
      NODE_ENV: 'production',
      DATABASE_URL: await createDatabaseIn(inject('postgresUrl')!),
      KEY_ENCRYPTION_SECRET: 'a secret of this test alone, 32 characters and more',
    });
  });
  afterAll(() => service?.stop());

  interface Body {
    data?: Record<string, unknown> | null;
    errors?: { message: string; locations?: unknown; extensions?: Record<string, unknown> }[];
    extensions?: unknown;
  }
  const post = async (body: unknown): Promise<Body> => {
    const answer = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'User-Agent': 'graphql-cop' },
      body: JSON.stringify(body),
    });
    return (await answer.json()) as Body;
  };
  const query = (text: string) => post({ query: text });
  const get = async (text: string): Promise<{ status: number; body: string }> => {
    const answer = await fetch(`${service.url}/graphql?query=${encodeURIComponent(text)}`);
    return { status: answer.status, body: await answer.text() };
  };
  const names = (count: number, part: (at: number) => string) =>
    Array.from({ length: count }, (_, at) => part(at)).join(' ');

  it('is a GraphQL server in the first place', async () => {
    expect(await query('query cop { __typename }')).toEqual({ data: { __typename: 'Query' } });
  });

  it('graphql-http’s audit fails where it introspects, and notices that GET is not served', async () => {
    const { ok, failed, notices } = await audit(service);
    expect(failed).toEqual(introspecting.byPost);
    expect(notices).toEqual(expect.arrayContaining(introspecting.byGet));
    expect([ok, notices.length]).toEqual([56, 3]);
  });

  it('1: alias overloading', async () => {
    const { data, errors } = await query(`query cop { ${names(101, (at) => `alias${at}: __typename`)} }`);
    expect([data, errors?.[0]?.extensions?.code]).toEqual([undefined, 'OPERATION_TOO_COMPLEX']);
  });

  it('2: array batching', async () => {
    const answer = await post(Array.from({ length: 10 }, () => ({ query: 'query cop { __typename }' })));
    expect(Array.isArray(answer)).toBe(false);
    expect(answer.data).toBeUndefined();
    expect(answer.errors).toHaveLength(1);
  });

  it('3: directive overloading', async () => {
    const { data, errors } = await query(`query cop { __typename ${'@aa'.repeat(10)} @bb }`);
    expect([data, errors?.length, errors?.[0]?.extensions?.code]).toEqual([undefined, 1, 'OPERATION_TOO_COMPLEX']);
    // Below the limit each unknown directive is told once.
    expect((await query(`query cop { __typename ${'@aa'.repeat(10)} }`)).errors?.length).toBeLessThanOrEqual(10);
  });

  it('4: circular introspection', async () => {
    const circle = '{ name fields { type { fields { type { fields { type { name } } } } } } }';
    const { data, errors } = await query(`query cop { __schema { types ${circle} } }`);
    expect(data).toBeUndefined();
    expect(errors?.[0]?.extensions?.code).toMatch(/^(BAD_USER_INPUT|OPERATION_TOO_COMPLEX)$/);
  });

  it('5: field duplication, judged by time as well', async () => {
    const document = `query cop { ${'__typename \n'.repeat(500)} } `;
    let fastest = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3; round += 1) {
      const startedAt = performance.now();
      expect((await query(document)).data).toBeUndefined();
      fastest = Math.min(fastest, performance.now() - startedAt);
    }
    expect(fastest).toBeLessThan(50);
  });

  it('6: field suggestions', async () => {
    for (const text of ['query cop { __schema { directive } }', 'query cop { currentPrincipl { id } }', '{ tenan }']) {
      const body = JSON.stringify(await query(text));
      expect(body).toContain('errors');
      expect(body).not.toMatch(/did you mean/i);
    }
  });

  it('7: an editor, at any of the paths where one is looked for', async () => {
    const paths = ['/', '/graphiql', '/playground', '/console', '/graphql', '/v1/explorer', '/altair', '/voyager'];
    for (const path of paths) {
      const answer = await fetch(`${service.url}${path}`, { headers: { Accept: 'text/html' } });
      const body = await answer.text();
      expect([path, answer.status]).toEqual([path, 404]);
      expect(body).not.toMatch(/graphiql|graphql playground|graphql console|graphql-playground|<html/i);
    }
  });

  it('8: introspection', async () => {
    for (const text of ['query cop { __schema { types { name } } }', '{ __type(name: "Query") { name } }']) {
      const { data, errors } = await query(text);
      expect(data).toBeUndefined();
      expect(errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT');
      expect(JSON.stringify(errors)).not.toContain('currentPrincipal');
    }
  });

  it('9: queries by GET', async () => {
    const { status, body } = await get('query cop { __typename }');
    expect(status).toBe(405);
    const bare = await fetch(`${service.url}/graphql?query=%7B__typename%7D`);
    expect([bare.status, bare.headers.get('allow')]).toEqual([405, 'POST']);
    expect(JSON.parse(body)).not.toHaveProperty('data');
  });

  it('10: mutations by GET', async () => {
    const { status, body } = await get('mutation cop { __typename }');
    expect(status).toBe(405);
    expect(JSON.parse(body)).not.toHaveProperty('data');
  });

  it('11: urlencoded queries by POST', async () => {
    const answer = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      body: new URLSearchParams({ query: 'query cop { __typename }' }),
    });
    expect(answer.status).toBe(415);
    expect(JSON.parse(await answer.text())).not.toHaveProperty('data');
  });

  it('12: traces and stacks', async () => {
    for (const text of ['query cop { __typename }', 'qwerty cop { abc }', '{ nothing }']) {
      const { extensions, errors } = await query(text);
      expect(extensions).toBeUndefined();
      for (const error of errors ?? []) expect(Object.keys(error.extensions ?? {})).toEqual(['code']);
      expect(JSON.stringify(errors ?? [])).not.toMatch(/stacktrace|exception|node_modules|\bat .*\.[jt]s:/i);
    }
  });
});
