// better-auth: the authentication framework for Node that most begin with, at its fastest documented set-up on
// PostgreSQL: its own adapter on a pool like ours, joins, the session cached in a cookie, no rate limit, argon2id.
// Prepared through its own endpoints: customers who have signed up, each in two organizations.

import { createServer } from 'node:http';
import { hash, verify } from '@node-rs/argon2';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { anonymous, organization } from 'better-auth/plugins';
import pg from 'pg';
import { listening, script } from '../kit/script.mjs';
import { origin, password } from './better-auth-requests.mjs';

const AT_ONCE = 16;
const argon2id = { algorithm: 2, memoryCost: 47_104, timeCost: 1, parallelism: 1 };

script(async ({ databaseUrl, customers = 0 }) => {
  const options = /** @satisfies {import('better-auth').BetterAuthOptions} */ ({
    baseURL: origin,
    secret: 'the bench has a secret of its own, long enough for this',
    database: new pg.Pool({ connectionString: databaseUrl, max: 10 }),
    advanced: { database: { joins: true } },
    emailAndPassword: {
      enabled: true,
      password: { hash: (text) => hash(text, argon2id), verify: (stored) => verify(stored.hash, stored.password) },
    },
    session: { cookieCache: { enabled: true, maxAge: 300 } },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { level: 'error' },
    plugins: [organization(), anonymous()],
  });
  const { runMigrations } = await getMigrations(options);
  await runMigrations();
  const auth = betterAuth(options);

  /** Somebody who has signed up, as a row: e-mail, the cookies that a browser would send, two organizations. */
  async function signUp(/** @type {number} */ index) {
    const email = `bench-${index}@bench.example`;
    const signedUp = await auth.api.signUpEmail({ body: { email, password, name: email }, asResponse: true });
    const cookie = signedUp.headers
      .getSetCookie()
      .map((text) => text.split(';')[0])
      .join('; ');
    const headers = new Headers({ cookie, origin });
    const organizations = [];
    for (const name of ['acme', 'globex']) {
      const body = { name, slug: `${name}-${index}` };
      organizations.push((await auth.api.createOrganization({ body, headers }))?.id);
    }
    return [email, cookie, ...organizations];
  }
  const people = [];
  for (let made = 0; made < customers; made += AT_ONCE) {
    people.push(...(await Promise.all(Array.from({ length: AT_ONCE }, (_none, index) => signUp(made + index)))));
  }
  return { ready: { ...(await listening(createServer(toNodeHandler(auth)))), people } };
});
