// What an administrator changes, and how: one change at a time per tenant, whole or not at all, by whoever may still
// make it when its turn has come. Use cases compose: given a change that is under way, they become part of it.
// Invariant: revocations are written last, for from then on nobody else gets a number; this instance knows its own
// change before it answers.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { unauthenticated } from '../../errors/domain-error.ts';
import type { RevocationKey } from '../revocations/revocation-key.ts';
import type { Revocations } from '../revocations/revocations.ts';
import { customEntry, type NewScope, type ScopeEntry } from '../scopes/custom-scopes.ts';

/** A change under way, and the request that makes it. */
export interface Change extends Ctx {
  readonly tx: TenantClient;
  /** The tenant's own scopes; nobody defines or deletes one before this change is made or given up. */
  readonly customScopes: ReadonlyMap<string, ScopeEntry>;
  /** From the commit on, tokens that answer to one of these keys are refused. */
  revoke(reason: string, keys: readonly RevocationKey[]): void;
}

/** Runs `work` in the change under way, or in one of its own. @throws UNAUTHENTICATED when the caller's token has been
 * revoked by then */
export type Administer = <T>(ctx: Ctx, work: (change: Change) => Promise<T>) => Promise<T>;

const isChange = (ctx: Ctx): ctx is Change => 'tx' in ctx;

/** Makes `administer`. */
export function createAdministration(deps: { database: Database; revocations: Revocations }): Administer {
  const { database, revocations } = deps;

  return async function administer(ctx, work) {
    if (isChange(ctx)) return work(ctx);
    const { tenantId, requestId, ipAddress, userAgent, principal, credential } = ctx;
    if (!principal && credential !== 'operator') throw unauthenticated('nobody administers');

    const result = await database.transaction(ctx, async (tx) => {
      await tx.$queryRaw`SELECT id AS tenant_id FROM tenants WHERE id = ${tenantId} FOR NO KEY UPDATE`;
      // Asked now, since the change may end the caller's own tokens; told last, since what is wrong with it says more.
      const isTooLate =
        principal !== null && (await revocations.isRevokedNow(tx, principal.revocationKeys, principal.rev));
      const defined = await tx.$queryRaw<NewScope[]>`
        SELECT id, description FROM custom_scopes WHERE tenant_id = ${tenantId}`;
      const entries = new Map<string, RevocationKey[]>();
      const done = await work({
        tenantId,
        requestId,
        ipAddress,
        userAgent,
        principal,
        credential,
        tx,
        customScopes: new Map(defined.map((scope) => [scope.id, customEntry(scope)])),
        revoke: (reason, keys) => void entries.set(reason, [...(entries.get(reason) ?? []), ...keys]),
      });
      if (isTooLate) throw unauthenticated('revoked while the change waited for its turn');
      for (const [reason, keys] of entries) await revocations.record(tx, ctx, keys, reason);
      return done;
    });
    await revocations.felt();
    return result;
  };
}
