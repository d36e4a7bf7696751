// Scopeward's own verifier without HTTP and GraphQL: the whole app is put together, and asked for nothing else.
// `fresh`: every token is one that it has not seen, made from a real one with another `jti` and the tenant's own key.

import { KeyObject, randomUUID, sign } from 'node:crypto';
import { environment } from './scopeward.mjs';
import { repeating, script } from './script.mjs';

const decode = (/** @type {string} */ part) => JSON.parse(Buffer.from(part, 'base64url').toString());

script(async ({ databaseUrl, token, fresh }) => {
  const load = (/** @type {string} */ file) => import(new URL(`../../dist/${file}`, import.meta.url).href);
  const [{ createApp }, { readConfig }, { createLogger }] = await Promise.all(
    ['app.js', 'config/config.js', 'observability/logger.js'].map(load),
  );
  const config = readConfig({ ...environment(databaseUrl), LOG_LEVEL: 'warn' });
  const app = await createApp(config, createLogger({ level: 'warn' }));
  await app.start();
  const { verifier, signingKeys } = app.modules;

  const [header, payload] = token.split('.');
  const claims = decode(payload);
  const { privateKey } = signingKeys.current(claims.tenant);
  const key = privateKey instanceof KeyObject ? privateKey : KeyObject.from(privateKey);
  function another() {
    const text = `${header}.${Buffer.from(JSON.stringify({ ...claims, jti: randomUUID() })).toString('base64url')}`;
    return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }
  const batch = async () =>
    Array.from({ length: 5_000 }, () => {
      const one = fresh ? another() : token;
      return () => verifier.principal(one);
    });
  await verifier.principal(another());
  return { answer: repeating({ atOnce: 32, batch }) };
});
