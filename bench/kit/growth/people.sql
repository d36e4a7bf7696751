-- What grows with people: customers, their sessions and refresh tokens, so many each (`SET growth.rows`); a twentieth are
-- contacts of companies and members of their groups. Every fifth is of the tenant `rival`, the others of `demo`.
-- Keys are as the service makes them: those that ascend ascend, those that are random are. On top of the demo data.

-- Rows that fit by construction need no checking by triggers, and indexes are built once, at the end.
SET session_replication_role = replica;
UPDATE pg_index SET indisready = false WHERE indrelid = ANY (
  ARRAY['customers', 'sessions', 'refresh_tokens', 'contact_assignments', 'customer_memberships']::regclass[]);

CREATE FUNCTION pg_temp.wanted() RETURNS int LANGUAGE sql AS $$ SELECT current_setting('growth.rows')::int $$;
CREATE FUNCTION pg_temp.tenant(n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN n % 5 = 0 THEN 'rival' ELSE 'demo' END $$;
CREATE FUNCTION pg_temp.ascending(kind text, n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT '01920000-0000-7' || kind || '-8000-' || lpad(to_hex(n), 12, '0') $$;
CREATE FUNCTION pg_temp.random128(kind text, n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT translate(encode(decode(md5(kind || n), 'hex'), 'base64'), '+/=', '-_') $$;

INSERT INTO customers (tenant_id, id, customer_number, email, email_verified_at, password_hash, first_name, last_name)
SELECT pg_temp.tenant(n), pg_temp.ascending('a01', n), lpad(n::text, 8, '0'), 'someone.' || md5(n::text) || '@mail.example',
  now(), buyer.password_hash, 'Someone', 'Number ' || n
FROM generate_series(1, pg_temp.wanted()) AS n, (SELECT password_hash FROM customers WHERE email = 'buyer@demo.example') buyer;

-- Begun over the last month, each within its first hour still.
INSERT INTO sessions (tenant_id, id, kind, customer_id, client_id, created_at, last_seen_at, expires_at, ends_at, user_agent,
  ip_address, site_code, currency, language)
SELECT pg_temp.tenant(n), pg_temp.random128('s', n), 'CUSTOMER', pg_temp.ascending('a01', n), pg_temp.tenant(n) || '-storefront',
  began, began, began + interval '30 days', began + interval '180 days',
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', '192.0.2.1', 'main', 'EUR', 'de'
FROM generate_series(1, pg_temp.wanted()) AS n,
  LATERAL (SELECT now() - interval '30 days' * ((pg_temp.wanted() - n)::float8 / pg_temp.wanted()) AS began) AS moment;

INSERT INTO refresh_tokens (tenant_id, id, session_id, branch_id, created_at, expires_at)
SELECT pg_temp.tenant(n), sha256(('t' || n)::bytea), pg_temp.random128('s', n), md5('b' || n)::uuid::text, began,
  began + interval '30 days'
FROM generate_series(1, pg_temp.wanted()) AS n,
  LATERAL (SELECT now() - interval '30 days' * ((pg_temp.wanted() - n)::float8 / pg_temp.wanted()) AS began) AS moment;

INSERT INTO legal_entities (tenant_id, id, name)
SELECT tenant, pg_temp.ascending('a02', n), 'Company ' || n
FROM generate_series(1, 1 + pg_temp.wanted() / 200) AS n, unnest(ARRAY['demo', 'rival']) AS tenant;

INSERT INTO groups (tenant_id, id, name, user_type, legal_entity_id, role)
SELECT tenant, pg_temp.ascending('a03', n), 'Buyers of ' || n, 'CUSTOMER', pg_temp.ascending('a02', n), 'BUYER'
FROM generate_series(1, 1 + pg_temp.wanted() / 200) AS n, unnest(ARRAY['demo', 'rival']) AS tenant;

INSERT INTO clients (tenant_id, id, name, kind, scopes)
SELECT tenant, tenant || '-client-' || n, 'Integration ' || n, 'CUSTOM', '{product.product_read}'
FROM generate_series(1, 1 + pg_temp.wanted() / 200) AS n, unnest(ARRAY['demo', 'rival']) AS tenant;

INSERT INTO contact_assignments (tenant_id, id, customer_id, legal_entity_id)
SELECT pg_temp.tenant(n), pg_temp.ascending('a04', n), pg_temp.ascending('a01', n), pg_temp.ascending('a02', 1 + n / 200)
FROM generate_series(1, pg_temp.wanted()) AS n WHERE n % 20 IN (1, 5);

INSERT INTO customer_memberships (tenant_id, group_id, customer_id)
SELECT pg_temp.tenant(n), pg_temp.ascending('a03', 1 + n / 200), pg_temp.ascending('a01', n)
FROM generate_series(1, pg_temp.wanted()) AS n WHERE n % 20 IN (1, 5);

REINDEX TABLE customers;
REINDEX TABLE sessions;
REINDEX TABLE refresh_tokens;
REINDEX TABLE contact_assignments;
REINDEX TABLE customer_memberships;
SET session_replication_role = origin;
