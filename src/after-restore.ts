// What follows the restoring of a backup: numbers have gone back, and refresh tokens and links in letters that were spent
// look fresh again (security.md case 126). Invariant: nothing that was issued before is good afterwards. It can be repeated.

import type { Modules } from './app.ts';
import { recordAudit } from './modules/audit/audit.ts';
import { tenantKey } from './modules/revocations/revocation-key.ts';
import { asOperator } from './modules/tenants/in-tenant.ts';

const BATCH = 5_000;

/** More revocations than there can have been since any backup; `Int` has room for two hundred such leaps. */
const LEAP = 10_000_000;

/** Call with every instance stopped. @returns how many sessions were still open in the backup */
export async function afterRestore({ changes, database, tenants }: Modules): Promise<number> {
  const all = await tenants.list();
  await database.systemTransaction(async (tx) => {
    // The others too: no instance may take what it remembers for what is there.
    await tx.$executeRaw`UPDATE counters SET value = value + CASE name WHEN 'revocations' THEN ${LEAP} ELSE 1 END`;
    const reason = 'database.restored';
    await tx.revocation.createMany({
      data: all.map(({ id }) => ({ tenantId: id, ...tenantKey(id), reason })),
    });
    for (const { id } of all)
      await recordAudit(tx, asOperator(id, 'operator'), { type: reason, subject: { kind: 'tenant', id } });
  });
  // Links that have been followed, and sign-ins that came back since, look fresh again, too; and letters would be sent twice.
  await database.system().letterToken.deleteMany();
  await database.system().letter.deleteMany();
  await database.system().ssoAuthorization.deleteMany();
  let ended = 0;
  for (let batch = BATCH; batch === BATCH; ended += batch) {
    batch = await database.system().$executeRaw`
      UPDATE sessions SET ended_at = now(), end_reason = 'database.restored' WHERE (tenant_id, id) IN (
        SELECT tenant_id, id FROM sessions WHERE ended_at IS NULL LIMIT ${BATCH})`;
  }
  await changes.catchUp();
  return ended;
}
