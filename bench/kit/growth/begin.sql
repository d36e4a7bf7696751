-- Comes first on every connection that fills a database. How many: `SET growth.rows`. Every fifth row is of the tenant
-- `rival`, the others of `demo`, on top of the demo data. Keys are as the service makes them: those that ascend ascend,
-- those that are random are. Rows fit by construction, so triggers need not check them, and a file builds indexes at its end.

SET session_replication_role = replica;
SET synchronous_commit = off;
SET maintenance_work_mem = '256MB';

CREATE FUNCTION pg_temp.wanted() RETURNS int LANGUAGE sql STABLE AS $$ SELECT current_setting('growth.rows')::int $$;
CREATE FUNCTION pg_temp.tenant(n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN n % 5 = 0 THEN 'rival' ELSE 'demo' END $$;
CREATE FUNCTION pg_temp.ascending(kind text, n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT '01920000-0000-7' || kind || '-8000-' || lpad(to_hex(n), 12, '0') $$;
CREATE FUNCTION pg_temp.random128(kind text, n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT translate(encode(decode(md5(kind || n), 'hex'), 'base64'), '+/=', '-_') $$;
-- Sessions begin over the last month, and are within their first hour still.
CREATE FUNCTION pg_temp.began(n int) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT now() - interval '30 days' * ((pg_temp.wanted() - n)::float8 / pg_temp.wanted()) $$;
-- What the refresh token number n is stored as.
CREATE FUNCTION pg_temp.token(n int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT sha256(('rt_' || lpad(n::text, 43, '0'))::bytea) $$;
