import { it } from 'vitest';
import { createServer } from 'node:http';
import { auditServer } from 'graphql-http';
import { execute, getOperationAST, parse } from 'graphql';
import { checkOperation } from '/work/main/src/permissions/operation-check.ts';
import { checkDocumentLimits } from '/work/main/src/graphql/document-limits.ts';
import { clientWith, requestOf, serverOf, smallSchema } from '/work/main/test/enforcement/given.ts';
const bench = async (name: string, n: number, f: () => unknown) => {
  for (let i = 0; i < n / 5; i++) await f();
  const t = performance.now();
  for (let i = 0; i < n; i++) await f();
  console.log(name, ((performance.now() - t) * 1000 / n).toFixed(2), 'us');
};
const sync = (name: string, n: number, f: () => unknown) => {
  for (let i = 0; i < n / 5; i++) f();
  const t = performance.now();
  for (let i = 0; i < n; i++) f();
  console.log(name, ((performance.now() - t) * 1000 / n).toFixed(2), 'us');
};
it('measure', async () => {
  const { plain, guarded, ran } = smallSchema();
  const p = clientWith('iam.group_read', 'iam.user_read', 'iam.access_read', 'oauth.session_read', ...Array.from({length: 40}, (_, i) => `x.y${i}_read`));
  const q = 'query ($n: Int) { groups(first: $n) { totalCount nodes { id name scopes members(first: 10) { totalCount nodes { ... on Employee { id salary } ... on Customer { id } } } } } currentPrincipal { id name sessions } }';
  const doc = parse(q); const op = getOperationAST(doc)!;
  sync('operation check, remembered', 300000, () => checkOperation(plain, doc, op, () => ({}), p));
  const q2 = q.replace('query ($n: Int)', 'query ($n: Int, $y: Boolean = true)').replace('scopes', 'scopes @include(if: $y)');
  const doc2 = parse(q2); const op2 = getOperationAST(doc2)!;
  sync('operation check, variable decides', 50000, () => checkOperation(plain, doc2, op2, () => ({ y: true }), p));
  sync('limits, remembered', 300000, () => checkDocumentLimits(plain, parse === null ? doc : docFix, {}, { introspection: false }));
  sync('limits, page size by variable', 50000, () => checkDocumentLimits(plain, doc, { n: 5 }, { introspection: false }));
  const server = serverOf(guarded); const bare = serverOf(plain);
  const rc = requestOf(p);
  for (let r = 0; r < 2; r++) {
    await bench('post { hello } guarded', 20000, () => server.post({ query: '{ hello }' }, rc, undefined));
    await bench('post { hello } unguarded by shield', 20000, () => bare.post({ query: '{ hello }' }, rc, undefined));
    await bench('fetch { hello } guarded', 5000, async () => (await server.fetch({ query: '{ hello }' }, p)).text());
    await bench('post page guarded', 5000, () => server.post({ query: q }, rc, undefined));
    await bench('post page without shield', 5000, () => bare.post({ query: q }, rc, undefined));
    ran.length = 0;
  }
  for (const short of [false, true]) {
    const edge = createServer(async (req, res) => {
      if (!short || req.method !== 'POST' || !/^application\/json/.test(req.headers['content-type'] ?? '')) return void server.handle(req, res, rc);
      let body = ''; for await (const c of req) body += c;
      let json; try { json = JSON.parse(body); } catch { res.writeHead(400); return res.end(); }
      const a = await server.post(json, rc, req.headers.accept);
      res.writeHead(a.status, a.headers); res.end(a.body);
    });
    await new Promise<void>((r) => edge.listen(0, r));
    const url = `http://127.0.0.1:${(edge.address() as any).port}/graphql`;
    const results = await auditServer({ url });
    console.log('audit short=', short, 'ok', results.filter((r) => r.status === 'ok').length, results.filter((r) => r.status !== 'ok').map((r: any) => `${r.status}: ${r.name} (${r.reason})`));
    edge.close();
  }
}, 60000);
const docFix = parse('{ groups { totalCount nodes { id name scopes } } }');
