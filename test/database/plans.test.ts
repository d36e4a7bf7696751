// What the service asks in a large database, statement by statement as it is sent: every look at a table that grows goes
// through an index, entered for more than all of a tenant or left after a page, whether PostgreSQL plans for the values or
// for any. Counting a list and searching in it read more, and are not here.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createAttempts } from '../../src/modules/limits/attempts.ts';
import { graphql, only } from '../kit/graphql.ts';
import { recordStatements, type Scan, scansOf } from '../kit/plans.ts';
import { createDatabaseIn } from '../kit/postgres.ts';
import { ctxOf, type Service, startService } from '../kit/service.ts';
import { employee, guest, refresh, serviceToken, signIn, tryLogin, tryRefresh } from '../kit/stories.ts';

const ROWS = 100_000;
const GROWN = 1_000;
const cluster = inject('postgresUrl');

describe.skipIf(!cluster)(
  cluster ? 'in a large database' : 'in a large database (no PostgreSQL server installed)',
  () => {
    let at: Service;
    let client: pg.Client;
    let recorded: ReturnType<typeof recordStatements>;
    let grown: Set<string>;
    let admin: string;
    const ctx = ctxOf('demo');
    const { ipAddress, requestId, userAgent } = ctx;
    const request = { ipAddress, requestId, userAgent, principal: null, credential: null } as never;

    beforeAll(async () => {
      const url = await createDatabaseIn(cluster!);
      at = await startService({ DATABASE_URL: url });
      client = new pg.Client(`${url}?options=-c%20TimeZone%3DUTC`);
      await client.connect();
      await client.query(`SET growth.rows = ${ROWS}`);
      for (const name of ['begin', 'customers', 'sessions', 'refresh_tokens', 'records'])
        await client.query(readFileSync(join(import.meta.dirname, `../../bench/kit/growth/${name}.sql`), 'utf8'));
      await client.query('VACUUM (ANALYZE)');
      const tables = await client.query('SELECT relname FROM pg_class WHERE relkind = $1 AND reltuples > $2', [
        'r',
        GROWN,
      ]);
      grown = new Set(tables.rows.map(({ relname }) => relname));
      await at.app.modules.changes.catchUp();
      // What it does by itself now and then would be taken for what a test does.
      await at.app.modules.clientUsage.stop();
      admin = (await employee(at)).accessToken;
      recorded = recordStatements(new URL(url).pathname.slice(1));
    }, 120_000);
    afterAll(async () => {
      recorded?.end();
      await client?.end();
      await at?.stop();
    });

    /** Every look at a table that grows, in either way of planning, of what `run` sends. */
    async function scansDuring(run: () => Promise<unknown>): Promise<(Scan & { sql: string })[]> {
      recorded.take();
      await run();
      const scans = [];
      for (const sent of recorded.take())
        for (const scan of (await scansOf(client, sent)).flat()) scans.push({ ...scan, sql: sent.text });
      return scans.filter(({ relation }) => grown.has(relation));
    }

    async function expectNarrow(run: () => Promise<unknown>, ...indexes: string[]): Promise<void> {
      const scans = await scansDuring(run);
      expect(scans.filter(({ isNarrow }) => !isNarrow)).toEqual([]);
      expect([...new Set(scans.map(({ index }) => index))].sort()).toEqual(expect.arrayContaining(indexes));
    }

    const ask = async (query: string, variables = {}, bearer = admin) =>
      only(await graphql(at, query, { bearer, variables }));

    it('the tables that grow are known', () => {
      expect([...grown]).toEqual(
        expect.arrayContaining(['sessions', 'refresh_tokens', 'customers', 'audit_events', 'revocations']),
      );
    });

    it('a refresh, and a company switch', async () => {
      const { refreshToken } = await signIn(at);
      const keys = ['refresh_tokens_id_key', 'sessions_pkey', 'customers_pkey'];
      let next = refreshToken;
      await expectNarrow(async () => ({ refreshToken: next } = await refresh(at, next)), ...keys);
      const company = 'contact_assignments_tenant_id_customer_id_legal_entity_id_key';
      await expectNarrow(() => refresh(at, next, { legalEntityId: 'globex' }), ...keys, company);
    });

    it('an old token comes back', async () => {
      const { refreshToken, sessionId } = await signIn(at);
      await refresh(at, refreshToken);
      await client.query(`UPDATE refresh_tokens SET spent_at = now() - interval '1 hour' WHERE session_id = $1`, [
        sessionId,
      ]);
      await expectNarrow(() => tryRefresh(at, refreshToken), 'refresh_tokens_id_key', 'sessions_pkey');
    });

    it('a guest signs in, or fails to', async () => {
      const { accessToken: anonymousToken } = await guest(at);
      const byEmail = 'customers_tenant_id_email_key';
      await expectNarrow(() => tryLogin(at, { email: 'nobody@demo.example', anonymousToken }), byEmail);
      const memberships = 'customer_memberships_tenant_id_customer_id_idx';
      await expectNarrow(
        async () => only(await tryLogin(at, { email: 'buyer@demo.example', anonymousToken, legalEntityId: 'acme' })),
        ...[byEmail, memberships, 'attempts_pkey', 'customers_pkey', 'guest_contexts_pkey', 'sessions_pkey'],
      );
    });

    it('sessions end: one, all of a customer, by an administrator', async () => {
      const [one, other, third] = [await signIn(at), await signIn(at), await signIn(at)];
      const logout = (which: string, bearer: string) => ask(`mutation { ${which} { sessionsEnded } }`, {}, bearer);
      await expectNarrow(() => logout('logout', one.accessToken), 'sessions_pkey');
      const revoke = 'mutation ($id: ID!) { revokeSession(id: $id) { __typename } }';
      await expectNarrow(() => ask(revoke, { id: other.sessionId }), 'sessions_pkey');
      await expectNarrow(
        () => logout('logoutEverywhere', third.accessToken),
        'sessions_tenant_id_customer_id_created_at_idx',
      );
    });

    it('revocations: read by an instance, by a follower, and before a change', async () => {
      const { changes, database, revocations } = at.app.modules;
      const known = revocations.current();
      await expectNarrow(async () => {
        await database.transaction(ctx, (tx) => revocations.record(tx, ctx, [{ kind: 'TOKEN', key: 'x' }], 'a test'));
        await changes.catchUp();
      }, 'revocations_pkey');
      const followed = revocations.follow(ctx, known - 10);
      await expectNarrow(() => followed.next(), 'revocations_pkey');
      await followed.return?.();
      await expectNarrow(() => revocations.latestOf(ctx), 'revocations_tenant_id_sequence_idx');
      const byKey = 'revocations_tenant_id_kind_key_sequence_idx';
      const keys = [{ kind: 'SESSION', key: 'x' } as const, { kind: 'GROUP', key: 'y' } as const];
      await expectNarrow(() => revocations.isRevokedNow(database.forTenant(ctx), keys, known - ROWS / 2), byKey);
    });

    it('clients are looked up, an employee signs in, a buyer sees companies, an Admin contacts', async () => {
      const { clients } = at.app.modules;
      await expectNarrow(() => clients.find('demo-client-7'), 'clients_id_key');
      await expectNarrow(
        () => clients.isEnabled(at.app.modules.database.forTenant(ctx), ctx, 'demo-client-7'),
        'clients_id_key',
      );
      await expectNarrow(() => serviceToken(at, 'demo-crm'));
      await expectNarrow(() => employee(at));
      const { accessToken } = await signIn(at);
      const companies = '{ currentPrincipal { ... on CustomerPrincipal { legalEntities { id name } } } }';
      await expectNarrow(
        () => ask(companies, {}, accessToken),
        'contact_assignments_tenant_id_customer_id_legal_entity_id_key',
      );
      const contacts =
        '{ legalEntity(id: "acme") { contactAssignments(first: 50) { nodes { id customer { id email } } } } }';
      await expectNarrow(() => ask(contacts), 'contact_assignments_tenant_id_legal_entity_id_id_idx');
    });

    const lists: [list: string, args: string, index: string][] = [
      ['customers', '', 'customers_tenant_id_email_key'],
      ['groups', '', 'groups_tenant_id_name_id_idx'],
      ['clients', '', 'clients_tenant_id_name_id_idx'],
      ['legalEntities', '', 'legal_entities_tenant_id_name_id_idx'],
      ['sessions', '', 'sessions_tenant_id_created_at_id_idx'],
      [
        'sessions',
        ', customerId: "01920000-0000-7a01-8000-000000000007"',
        'sessions_tenant_id_customer_id_created_at_idx',
      ],
      ['auditEvents', '', 'audit_events_tenant_id_at_id_idx'],
      ['auditEvents', ', type: "session.ended"', 'audit_events_tenant_id_type_at_idx'],
      ['auditEvents', ', actorId: "01920000-0000-7a01-8000-000000000007"', 'audit_events_tenant_id_actor_id_at_idx'],
      ['auditEvents', ', subjectId: "x"', 'audit_events_tenant_id_subject_id_at_idx'],
    ];
    it.each(lists)('a page of %s%s: the first, the last, and the one before it', async (list, args, index) => {
      const page = (window: string, variables = {}) =>
        ask(
          `query ($at: String) { ${list}(${window} ${args}) { nodes { id } pageInfo { startCursor endCursor } } }`,
          variables,
        );
      await expectNarrow(() => page('first: 50, after: $at'), index);
      let last: { pageInfo: { startCursor: string | null } } | undefined;
      await expectNarrow(async () => {
        last = (await page('last: 50, before: $at')) as typeof last;
      }, index);
      const variables = { at: last?.pageInfo.startCursor };
      if (!variables.at) return;
      await expectNarrow(() => page('last: 50, before: $at', variables), index);
      await expectNarrow(() => page('first: 50, after: $at', variables), index);
    });

    it('a sign-in at a provider comes back, for somebody who is linked', async () => {
      const { authorizations, database, externalIdentities, identityProviders } = at.app.modules;
      const digest = (text: string) => createHash('sha256').update(text).digest();
      await client.query(
        `INSERT INTO sso_authorizations (tenant_id, id, provider_id, user_type, redirect_uri, verifier_digest, sealed, expires_at)
       VALUES ('demo', $1, 'grown', 'CUSTOMER', 'https://shop.example/back', $2, '', now() + interval '1 hour')`,
        [digest('state'), digest('verifier')],
      );
      // What is sealed is not ours, but it has been taken by then.
      await expectNarrow(
        () => authorizations.take(request, 'state', 'verifier').catch(() => {}),
        'sso_authorizations_id_key',
      );
      const provider = await identityProviders.findFor(ctx, 'grown', 'CUSTOMER');
      const subject = createHash('md5').update('i7').digest('hex');
      const person = { issuer: 'https://idp.example', subject, verifiedEmail: null, firstName: null, lastName: null };
      await expectNarrow(
        () => database.transaction(ctx, (tx) => externalIdentities.customer(tx, ctx, provider!, person as never)),
        'external_identities_tenant_id_user_type_issuer_subject_key',
      );
    });

    it('maintenance finds what is over, a batch at a time', async () => {
      const { auditEvents, authorizations, database, letterTokens, postman, refreshTokens, revocations, sessions } =
        at.app.modules;
      await expectNarrow(() => refreshTokens.forgetSuccessors(), 'refresh_tokens_spent_at_idx');
      await expectNarrow(() => sessions.prune(), 'sessions_expires_at_idx');
      await expectNarrow(() => sessions.pruneGuests(), 'guest_contexts_expires_at_idx');
      await expectNarrow(() => revocations.prune(), 'revocations_at_idx');
      await expectNarrow(() => createAttempts({ database }).prune(), 'attempts_window_start_idx');
      await expectNarrow(() => letterTokens.prune(), 'letter_tokens_expires_at_idx');
      await expectNarrow(() => auditEvents.prune(), 'audit_events_tenant_id_at_id_idx');
      await expectNarrow(
        () => authorizations.prune(),
        'sso_authorizations_expires_at_idx',
        'used_subject_tokens_expires_at_idx',
      );
      await expectNarrow(() => postman.deliver(), 'letters_due_at_idx');
    });

    it('every foreign key of a table that grows has an index, for what is deleted elsewhere', async () => {
      const { rows } = await client.query(`
      SELECT conrelid::regclass::text AS relation, conname FROM pg_constraint fk WHERE contype = 'f' AND NOT EXISTS (
        SELECT 1 FROM pg_index i WHERE i.indrelid = fk.conrelid AND i.indpred IS NULL
          AND fk.conkey <@ (i.indkey::int2[])[0:cardinality(fk.conkey) - 1])`);
      expect(rows.filter(({ relation }) => grown.has(relation))).toEqual([]);
    });

    it('would notice: without its index a look-up reads the whole table, or the whole tenant', async () => {
      await client.query('DROP INDEX customers_tenant_id_email_key, sessions_tenant_id_created_at_id_idx');
      const found = [
        ...(await scansDuring(() => at.app.modules.customers.findByEmail(ctx, 'nobody@demo.example'))),
        ...(await scansDuring(() => ask('{ sessions(first: 50) { nodes { id } } }'))),
      ];
      expect(new Set(found.filter(({ isNarrow }) => !isNarrow).map(({ relation }) => relation))).toEqual(
        new Set(['customers', 'sessions']),
      );
    });
  },
);
