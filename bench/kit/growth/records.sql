-- What grows with what happens: audit events and revocations, so many each (`SET growth.rows`), guests' changed visits,
-- counted attempts, letters, links and sign-ins at providers, a tenth of them each.

UPDATE pg_index SET indisready = false WHERE indrelid = ANY (ARRAY['audit_events', 'revocations']::regclass[]);

-- Over the last year, and over the last day: longer than either matters, some of them are kept no more.
INSERT INTO audit_events (tenant_id, id, at, type, outcome, actor, actor_id, subject, subject_id, request_id, ip_address)
SELECT pg_temp.tenant(n), pg_temp.ascending('a05', n), now() - interval '365 days' * ((pg_temp.wanted() - n)::float8 / pg_temp.wanted()),
  CASE WHEN n % 3 = 0 THEN 'session.ended' ELSE 'login.succeeded' END, 'success',
  jsonb_build_object('kind', 'customer', 'id', pg_temp.ascending('a01', n)), pg_temp.ascending('a01', n),
  jsonb_build_object('kind', 'session', 'id', pg_temp.random128('s', n)), pg_temp.random128('s', n),
  md5('r' || n)::uuid::text, '192.0.2.1'
FROM generate_series(1, pg_temp.wanted()) AS n;

INSERT INTO revocations (sequence, tenant_id, at, kind, key, reason)
SELECT value + n, pg_temp.tenant(n), now() - interval '1 day' * ((pg_temp.wanted() - n)::float8 / pg_temp.wanted()),
  'SESSION', pg_temp.random128('s', n), 'logout'
FROM generate_series(1, pg_temp.wanted()) AS n, counters WHERE name = 'revocations';
UPDATE counters SET value = value + pg_temp.wanted() WHERE name = 'revocations';

INSERT INTO guest_contexts (tenant_id, id, site_code, currency, language, expires_at)
SELECT pg_temp.tenant(n), pg_temp.random128('g', n), 'main', 'EUR', 'de', now() + interval '1 second' * n
FROM generate_series(1, pg_temp.wanted() / 10) AS n;

INSERT INTO attempts (tenant_id, id, window_start, count)
SELECT pg_temp.tenant(n), sha256(('a' || n)::bytea), now() - interval '31 minutes' * n / (pg_temp.wanted() / 10), 1
FROM generate_series(1, pg_temp.wanted() / 10) AS n;

INSERT INTO letters (tenant_id, id, kind, user_type, customer_id, address, due_at)
SELECT pg_temp.tenant(n), pg_temp.ascending('a06', n), 'PASSWORD_RESET', 'CUSTOMER', pg_temp.ascending('a01', n),
  'someone.' || md5(n::text) || '@mail.example', now() + interval '1 day' * n
FROM generate_series(1, pg_temp.wanted() / 10) AS n;

INSERT INTO letter_tokens (tenant_id, id, purpose, customer_id, expires_at)
SELECT pg_temp.tenant(n), sha256(('l' || n)::bytea), 'RESET_PASSWORD', pg_temp.ascending('a01', n), now() + interval '1 second' * n
FROM generate_series(1, pg_temp.wanted() / 10) AS n;

INSERT INTO identity_providers (tenant_id, id, name, issuer, client_id, user_types)
SELECT tenant, 'grown', 'Grown', 'https://idp.example', 'grown', '{CUSTOMER}' FROM unnest(ARRAY['demo', 'rival']) AS tenant;

INSERT INTO external_identities (tenant_id, id, provider_id, issuer, subject, user_type, customer_id)
SELECT pg_temp.tenant(n), pg_temp.ascending('a07', n), 'grown', 'https://idp.example', md5('i' || n), 'CUSTOMER',
  pg_temp.ascending('a01', n)
FROM generate_series(1, pg_temp.wanted() / 10) AS n;

INSERT INTO sso_authorizations (tenant_id, id, provider_id, user_type, redirect_uri, verifier_digest, sealed, expires_at)
SELECT pg_temp.tenant(n), sha256(('o' || n)::bytea), 'grown', 'CUSTOMER', 'https://shop.example/back', sha256(('v' || n)::bytea),
  sha256(('x' || n)::bytea), now() + interval '1 second' * n
FROM generate_series(1, pg_temp.wanted() / 10) AS n;

INSERT INTO used_subject_tokens (tenant_id, id, provider_id, expires_at)
SELECT pg_temp.tenant(n), sha256(('u' || n)::bytea), 'grown', now() + interval '1 second' * n
FROM generate_series(1, pg_temp.wanted() / 10) AS n;

REINDEX TABLE audit_events;
REINDEX TABLE revocations;
