// The entry points as another project has them: built, under the package's name, with `jose` and nothing else of ours.

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ISSUER, type Service, theService } from '../kit/service.ts';
import { serviceToken } from '../kit/stories.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const tsc = join(root, 'node_modules/typescript/bin/tsc');
let project: string;
let at: Service;

beforeAll(async () => {
  at = await theService();
  project = mkdtempSync(join(tmpdir(), 'scopeward-consumer-'));
  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, 'scopeward'), { recursive: true });
  mkdirSync(join(modules, '@types'));
  cpSync(join(root, 'package.json'), join(modules, 'scopeward/package.json'));
  const out = join(modules, 'scopeward/dist');
  const build = [
    '-p',
    'tsconfig.verify.json',
    '--noCheck',
    '--outDir',
    out,
    '--tsBuildInfoFile',
    join(out, '.tsbuildinfo'),
  ];
  await run(process.execPath, [tsc, ...build], { cwd: root });
  for (const name of ['jose', '@types/node', 'undici-types'])
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

it('every entry point is built by `npm run build` from what it is built from here', () => {
  const { exports, scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(scripts.build).toContain('tsc -p tsconfig.verify.json');
  expect(Object.keys(exports)).toEqual(['./verify', './verify/yoga', './verify/express', './verify/fastify']);
});

it('it runs with `jose` alone, and ends when it is closed', async () => {
  const { accessToken } = await serviceToken(at, 'demo-crm');
  const options = {
    issuer: ISSUER,
    url: at.url,
    tenant: 'demo',
    client: { id: 'demo-backend', secret: 'demo-backend-secret' },
  };
  writeFileSync(
    join(project, 'main.js'),
    `import { createVerifier, requireScopes } from 'scopeward/verify';
     import { authenticate } from 'scopeward/verify/express';
     import { requires } from 'scopeward/verify/fastify';
     const verifier = createVerifier(${JSON.stringify(options)});
     await verifier.ready;
     const caller = requireScopes(await verifier.verify(process.argv[2]), 'product.product_view');
     console.log(caller.kind, caller.id, typeof authenticate(verifier), typeof requires('a.b_read'));
     // Long enough for the stream to be open, and for what only looks held to be collected.
     for (let round = 0; round < 10; round += 1) await new Promise((resolve) => setTimeout(resolve, 100, gc()));
     verifier.close();`,
  );
  // The process ends by itself: nothing of the verifier keeps it alive.
  const { stdout } = await run(process.execPath, ['--expose-gc', 'main.js', accessToken], {
    cwd: project,
    timeout: 20_000,
  });
  expect(stdout.trim()).toBe('service demo-crm function function');
});

it('its types stand by themselves, libraries checked', async () => {
  writeFileSync(
    join(project, 'main.ts'),
    `import { AccessError, type Caller, createVerifier, requireCompany, type Verifier } from 'scopeward/verify';
     import { authenticate, callerOf } from 'scopeward/verify/express';
     import { requires } from 'scopeward/verify/fastify';
     const verifier: Verifier = createVerifier({ issuer: 'https://a', tenant: 'demo', client: { id: 'a', secret: 'b' } });
     const caller: Caller = await verifier.verify('token');
     const company: string = requireCompany(caller).legalEntityId;
     // @ts-expect-error it may be null
     const other: string = caller.legalEntityId;
     // @ts-expect-error a caller cannot be changed
     caller.legalEntityId = company;
     export { AccessError, authenticate, callerOf, other, requires };`,
  );
  const options = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--module', 'nodenext', '--target', 'es2023'];
  const { stdout } = await run(process.execPath, [tsc, ...options, '--types', 'node', 'main.ts'], {
    cwd: project,
  }).catch((error) => ({ stdout: error.stdout as string }));
  expect(stdout).toBe('');
});
