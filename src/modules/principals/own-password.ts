// Proving one's own password while signed in: what an account's owner does before changing how it is signed in to.
// Invariant: guessing is counted with the logins, before the password is checked.

import type { Ctx } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { unauthenticated } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { Attempts } from '../limits/attempts.ts';
import type { SessionOwner } from '../sessions/sessions.ts';
import type { Passwords } from './passwords.ts';

/** Whoever has proved it, and the account as it was then. */
export interface ProvedOwner {
  readonly owner: SessionOwner;
  readonly sessionId: string;
  readonly email: string;
  readonly passwordHash: string | null;
}

/** Proving of the caller's own password. */
export function createOwnPassword(deps: { attempts: Attempts; database: Database; passwords: Passwords }) {
  const { attempts, database, passwords } = deps;

  return {
    /** @throws INVALID_GRANT for a wrong password or an account without one, BAD_USER_INPUT, RATE_LIMITED,
     * SERVICE_UNAVAILABLE */
    async prove(ctx: Ctx, password: string, field: string): Promise<ProvedOwner> {
      const { principal } = ctx;
      if (principal?.kind !== 'customer' && principal?.kind !== 'employee') throw unauthenticated();
      const owner: SessionOwner =
        principal.kind === 'customer'
          ? { kind: 'customer', id: principal.customerId }
          : { kind: 'employee', id: principal.employeeId };
      passwords.requireHashable(password, field);
      const db = database.forTenant(ctx);
      const where = { id: owner.id };
      const account = await (owner.kind === 'customer'
        ? db.customer.findFirst({ where })
        : db.employee.findFirst({ where }));
      const attempt = await attempts.begin(ctx, owner.kind, account?.email ?? owner.id);
      const isRight = await passwords.matches(password, account?.passwordHash ?? null).catch(async (error: unknown) => {
        await attempts.withdraw(ctx, attempt);
        throw error;
      });
      if (!account || !isRight) throw new OAuthError('invalid_grant', { cause: 'wrong current password' });
      await attempts.succeeded(ctx, attempt);
      const { email, passwordHash } = account;
      return { owner, sessionId: principal.sessionId, email, passwordHash };
    },
  };
}

/** See `createOwnPassword`. */
export type OwnPassword = ReturnType<typeof createOwnPassword>;
