// The storage that oidc-provider asks for (its example/my_adapter.js), on PostgreSQL: one table, prepared statements.

import pg from 'pg';

/** @param {string} url */
export async function createPostgresAdapter(url) {
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  await pool.query(`CREATE TABLE oidc (
    id text PRIMARY KEY, payload jsonb NOT NULL, grant_id text, consumed_at bigint, expires_at timestamptz)`);
  await pool.query('CREATE INDEX ON oidc (grant_id) WHERE grant_id IS NOT NULL');

  return class PostgresAdapter {
    /** @param {string} model */
    constructor(model) {
      this.model = model;
    }

    /** @param {string} id */
    key(id) {
      return `${this.model}:${id}`;
    }

    /** @param {string} id @param {any} payload @param {number} expiresIn */
    async upsert(id, payload, expiresIn) {
      await pool.query({
        name: 'upsert',
        text: `INSERT INTO oidc (id, payload, grant_id, expires_at) VALUES ($1, $2, $3, now() + make_interval(secs => $4))
          ON CONFLICT (id) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id, expires_at = excluded.expires_at`,
        values: [this.key(id), JSON.stringify(payload), payload.grantId ?? null, expiresIn ?? null],
      });
    }

    /** @param {string} id */
    async find(id) {
      const { rows } = await pool.query({
        name: 'find',
        text: 'SELECT payload, consumed_at FROM oidc WHERE id = $1',
        values: [this.key(id)],
      });
      return (
        rows[0] && { ...rows[0].payload, ...(rows[0].consumed_at ? { consumed: Number(rows[0].consumed_at) } : {}) }
      );
    }

    /** @param {string} id */
    async consume(id) {
      await pool.query({
        name: 'consume',
        text: 'UPDATE oidc SET consumed_at = extract(epoch FROM now()) WHERE id = $1',
        values: [this.key(id)],
      });
    }

    /** @param {string} id */
    async destroy(id) {
      await pool.query({ name: 'destroy', text: 'DELETE FROM oidc WHERE id = $1', values: [this.key(id)] });
    }

    /** @param {string} grantId */
    async revokeByGrantId(grantId) {
      await pool.query({ name: 'revoke', text: 'DELETE FROM oidc WHERE grant_id = $1', values: [grantId] });
    }
  };
}
