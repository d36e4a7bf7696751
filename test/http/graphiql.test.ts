// Guarantees of GraphiQL: ours alone, and its stories are true to the schema (security.md case 89; product.md section 10).

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createGraphiql } from '../../src/http/routes/graphiql.ts';
import { stories } from '../../src/http/routes/graphiql-stories.ts';
import { createGraphqlRoutes } from '../../src/http/routes/graphql.ts';
import { startServer, tinyEngine } from './tiny-server.ts';

const html = { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } };
const start = async () => {
  const graphiql = await createGraphiql();
  return startServer({
    routes: [...createGraphqlRoutes({ graphql: tinyEngine().engine, page: graphiql.page }), ...graphiql.routes],
  });
};

describe('GraphiQL', () => {
  it('case 89: is a 404 where it is switched off, and GET queries go on working', async () => {
    const { url } = await startServer({ routes: createGraphqlRoutes({ graphql: tinyEngine().engine, page: null }) });
    expect((await fetch(`${url}/graphql`, html)).status).toBe(404);
    expect(await (await fetch(`${url}/graphql?query={hello}`)).json()).toEqual({ data: { hello: 'hello you' } });
  });

  it('case 89: names no other host, runs nothing inline, and its policy allows its own server only', async () => {
    const { url } = await start();
    const page = await fetch(`${url}/graphql`, html);
    const text = await page.text();
    expect(text).not.toMatch(/https?:|\/\//);
    expect(text).not.toMatch(/<script(?! src=)|<style|\son\w+=/);
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("connect-src 'self';");
    expect(policy).not.toMatch(/\*|https?:|blob:|unsafe-eval/);
  });

  it('serves its files under their digest, cacheable for good, packed for those who unpack', async () => {
    const { url } = await start();
    const text = await (await fetch(`${url}/graphql`, html)).text();
    const files = [...text.matchAll(/(?:href|src)="(graphql\/ui\/[^"]+)"/g)].map((match) => match[1]);
    expect(files).toHaveLength(3);
    for (const file of files) {
      const answer = await fetch(`${url}/${file}`);
      expect([answer.status, answer.headers.get('cache-control'), answer.headers.get('content-encoding')]).toEqual([
        200,
        'public, max-age=31536000, immutable',
        'gzip',
      ]);
      expect((await answer.text()).length).toBeGreaterThan(500);
    }
    expect((await fetch(`${url}/graphql/ui/other.js`)).status).toBe(404);
  });

  it('tells one story a tab, each titled by its first operation', () => {
    expect(stories.map(({ query }) => /(?:query|mutation) (\w+)/.exec(query)?.[1])).toEqual([
      'ServiceToken',
      'GuestToken',
      'BuyForAcme',
      'EmployeeToken',
      'Groups',
      'WhatMayIDo',
      'Companies',
      'Connect',
    ]);
    expect(stories[0]!.variables).toBeUndefined();
  });

  const schemaFile = join(import.meta.dirname, '../../schema.graphql');
  describe.skipIf(!existsSync(schemaFile))('stories', () => {
    it.each(stories.map(({ query }) => [query.split('\n', 1)[0]!, query]))(
      '%s: validates against schema.graphql',
      (_title, query) => {
        const schema = buildSchema(readFileSync(schemaFile, 'utf8'));
        expect(validate(schema, parse(query)).map((error) => error.message)).toEqual([]);
      },
    );
  });

  it('every variable of a story is one that an operation of its document declares', () => {
    for (const { query, variables } of stories) {
      const declared = parse(query).definitions.flatMap((definition) =>
        definition.kind === 'OperationDefinition'
          ? (definition.variableDefinitions ?? []).map(({ variable }) => variable.name.value)
          : [],
      );
      for (const name of Object.keys(variables ?? {})) expect(declared).toContain(name);
    }
  });
});
