-- A session for each customer.

UPDATE pg_index SET indisready = false WHERE indrelid = 'sessions'::regclass;

INSERT INTO sessions (tenant_id, id, kind, customer_id, client_id, created_at, last_seen_at, expires_at, ends_at, user_agent,
  ip_address, site_code, currency, language)
SELECT pg_temp.tenant(n), pg_temp.random128('s', n), 'CUSTOMER', pg_temp.ascending('a01', n), pg_temp.tenant(n) || '-storefront',
  pg_temp.began(n), pg_temp.began(n), pg_temp.began(n) + interval '30 days', pg_temp.began(n) + interval '180 days',
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', '192.0.2.1', 'main', 'EUR', 'de'
FROM generate_series(1, pg_temp.wanted()) AS n;

REINDEX TABLE sessions;
