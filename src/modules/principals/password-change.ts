// Changing one's own password: whoever does it proves the old one, and every other session ends.

import type { Ctx } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { conflict } from '../../errors/domain-error.ts';
import { recordAudit } from '../audit/audit.ts';
import type { LetterTokens } from '../letters/letter-tokens.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { OwnPassword } from './own-password.ts';
import type { Passwords } from './passwords.ts';

/** The use case of changing a password. */
export function createPasswordChange(deps: {
  database: Database;
  letterTokens: LetterTokens;
  ownPassword: OwnPassword;
  passwords: Passwords;
  revocations: Revocations;
  sessions: Sessions;
}) {
  const { database, letterTokens, ownPassword, passwords, revocations, sessions } = deps;

  return {
    /**
     * Links in letters that were sent before are void from then on: whoever reads the mail may be whom it is about.
     * @returns how many other sessions ended
     * @throws INVALID_GRANT for a wrong current password, BAD_USER_INPUT for one that may not be set, RATE_LIMITED
     */
    async change(ctx: Ctx, currentPassword: string, newPassword: string): Promise<number> {
      passwords.requireAcceptable(newPassword, 'input.newPassword');
      const { owner, sessionId, passwordHash } = await ownPassword.prove(ctx, currentPassword, 'input.currentPassword');
      const data = { passwordHash: await passwords.hash(newPassword) };
      const unchanged = { id: owner.id, passwordHash };
      const ended = await database.transaction(ctx, async (tx) => {
        const changed = await (owner.kind === 'customer'
          ? tx.customer.updateMany({ where: unchanged, data })
          : tx.employee.updateMany({ where: unchanged, data }));
        if (changed.count === 0) throw conflict('PASSWORD_CHANGED', 'The password has been changed meanwhile.');
        await letterTokens.voidAll(tx, owner);
        await recordAudit(tx, ctx, { type: `${owner.kind}.password_changed`, subject: owner });
        return sessions.endAll(tx, ctx, owner, 'password.changed', sessionId);
      });
      await revocations.felt();
      return ended;
    },
  };
}

/** See `createPasswordChange`. */
export type PasswordChange = ReturnType<typeof createPasswordChange>;
