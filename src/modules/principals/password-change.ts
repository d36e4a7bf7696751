// Changing one's own password: whoever does it proves the old one, and every other session ends.

import type { Ctx } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { conflict, unauthenticated } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { recordAudit } from '../audit/audit.ts';
import type { Attempts } from '../limits/attempts.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { SessionOwner, Sessions } from '../sessions/sessions.ts';
import type { Passwords } from './passwords.ts';

/** The use case of changing a password. */
export function createPasswordChange(deps: {
  attempts: Attempts;
  database: Database;
  passwords: Passwords;
  revocations: Revocations;
  sessions: Sessions;
}) {
  const { attempts, database, passwords, revocations, sessions } = deps;

  return {
    /**
     * @returns how many other sessions ended
     * @throws INVALID_GRANT for a wrong current password, BAD_USER_INPUT for one that may not be set, RATE_LIMITED
     */
    async change(ctx: Ctx, currentPassword: string, newPassword: string): Promise<number> {
      const { principal } = ctx;
      if (principal?.kind !== 'customer' && principal?.kind !== 'employee') throw unauthenticated();
      const owner: SessionOwner =
        principal.kind === 'customer'
          ? { kind: 'customer', id: principal.customerId }
          : { kind: 'employee', id: principal.employeeId };
      passwords.requireAcceptable(newPassword, 'input.newPassword');
      passwords.requireHashable(currentPassword, 'input.currentPassword');
      const db = database.forTenant(ctx);
      const where = { id: owner.id };
      const account = await (owner.kind === 'customer'
        ? db.customer.findFirst({ where })
        : db.employee.findFirst({ where }));
      const attempt = await attempts.begin(ctx, owner.kind, account?.email ?? owner.id);
      const isRight = await passwords
        .matches(currentPassword, account?.passwordHash ?? null)
        .catch(async (error: unknown) => {
          await attempts.withdraw(ctx, attempt);
          throw error;
        });
      if (!isRight) {
        throw new OAuthError('invalid_grant', { cause: 'wrong current password' });
      }
      await attempts.succeeded(ctx, attempt);

      const data = { passwordHash: await passwords.hash(newPassword) };
      const unchanged = { ...where, passwordHash: account?.passwordHash ?? null };
      const ended = await database.transaction(ctx, async (tx) => {
        const changed = await (owner.kind === 'customer'
          ? tx.customer.updateMany({ where: unchanged, data })
          : tx.employee.updateMany({ where: unchanged, data }));
        if (changed.count === 0) throw conflict('PASSWORD_CHANGED', 'The password has been changed meanwhile.');
        await recordAudit(tx, ctx, { type: `${owner.kind}.password_changed`, subject: owner });
        return sessions.endAll(tx, ctx, owner, 'password.changed', principal.sessionId);
      });
      await revocations.felt();
      return ended;
    },
  };
}

/** See `createPasswordChange`. */
export type PasswordChange = ReturnType<typeof createPasswordChange>;
