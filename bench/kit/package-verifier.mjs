// `scopeward/verify` as a service uses it: keys and revocations from the service under test, nothing else around it.
// `fresh`: every token is one that it has not seen, made from a real one with another `jti` and the tenant's own key,
// which the app hands out before anything is measured.

import { KeyObject, randomUUID, sign } from 'node:crypto';
import { environment } from './scopeward.mjs';
import { repeating, script } from './script.mjs';

const load = (/** @type {string} */ file) => import(new URL(`../../dist/${file}`, import.meta.url).href);
const decode = (/** @type {string} */ part) => JSON.parse(Buffer.from(part, 'base64url').toString());

/** The tenant's own signing key. @param {string} databaseUrl @param {string} tenant */
async function signingKey(databaseUrl, tenant) {
  const [{ createApp }, { readConfig }, { createLogger }] = await Promise.all(
    ['app.js', 'config/config.js', 'observability/logger.js'].map(load),
  );
  const app = await createApp(readConfig(environment(databaseUrl)), createLogger({ level: 'warn' }));
  await app.start();
  const { privateKey } = app.modules.signingKeys.current(tenant);
  await app.stop();
  return privateKey instanceof KeyObject ? privateKey : KeyObject.from(privateKey);
}

script(async ({ url, databaseUrl, token, fresh }) => {
  const [header, payload] = token.split('.');
  const claims = decode(payload);
  const key = await signingKey(databaseUrl, claims.tenant);
  function another() {
    const text = `${header}.${Buffer.from(JSON.stringify({ ...claims, jti: randomUUID() })).toString('base64url')}`;
    return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }
  const { createVerifier } = await load('verify/verify.js');
  const client = { id: 'demo-backend', secret: 'demo-backend-secret' };
  const verifier = createVerifier({ issuer: claims.iss, tenant: claims.tenant, client, url });
  await verifier.ready;
  const batch = async () =>
    Array.from({ length: 5_000 }, () => {
      const one = fresh ? another() : token;
      return () => verifier.verify(one);
    });
  await verifier.verify(another());
  return { answer: repeating({ atOnce: 32, batch }) };
});
