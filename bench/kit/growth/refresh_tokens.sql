-- A refresh token for each session.

UPDATE pg_index SET indisready = false WHERE indrelid = 'refresh_tokens'::regclass;

INSERT INTO refresh_tokens (tenant_id, id, session_id, branch_id, created_at, expires_at)
SELECT pg_temp.tenant(n), pg_temp.token(n), pg_temp.random128('s', n), md5('b' || n)::uuid::text, pg_temp.began(n),
  pg_temp.began(n) + interval '30 days'
FROM generate_series(1, pg_temp.wanted()) AS n;

REINDEX TABLE refresh_tokens;
