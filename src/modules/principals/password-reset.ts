// A new password for whoever has forgotten the old one and reads the account's mail. Invariants: asking says nothing about
// whether there is an account, and does the same work with one as without; setting one ends every session and voids every
// other link.

import type { RequestContext } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { recordAudit } from '../audit/audit.ts';
import type { LetterTokens } from '../letters/letter-tokens.ts';
import type { Letters } from '../letters/letters.ts';
import type { Attempts } from '../limits/attempts.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { inTenant } from '../tenants/in-tenant.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { requireEmail } from './email.ts';
import type { Passwords } from './passwords.ts';

/** Letters that one account may be sent by strangers, in 15 minutes. */
const MOST_LETTERS = 5;

/** Use cases of forgotten passwords. */
export function createPasswordReset(deps: {
  attempts: Attempts;
  database: Database;
  letters: Letters;
  letterTokens: LetterTokens;
  passwords: Passwords;
  revocations: Revocations;
  sessions: Sessions;
  tenants: Tenants;
}) {
  const { attempts, database, letters, letterTokens, passwords, revocations, sessions, tenants } = deps;

  return {
    /** Sends a link to the owner, if there is an account. @throws BAD_USER_INPUT, RATE_LIMITED, SERVICE_UNAVAILABLE */
    async request(
      request: RequestContext,
      input: { tenant: string; userType: 'CUSTOMER' | 'EMPLOYEE'; email: string },
    ): Promise<void> {
      const address = requireEmail(input.email, 'input.email');
      letters.requireAvailable();
      const tenant = tenants.find(input.tenant);
      if (!tenant) return;
      const ctx = inTenant(request, tenant.id);
      const { userType } = input;
      await attempts.begin(ctx, `password reset ${userType}`, address, MOST_LETTERS);
      await letters.put(database.forTenant(ctx), ctx, { kind: 'PASSWORD_RESET', userType, address });
      letters.send();
    },

    /** Sets a password by the link, which proves the address too. @throws INVALID_GRANT, BAD_USER_INPUT,
     * SERVICE_UNAVAILABLE */
    async reset(request: RequestContext, token: string, newPassword: string): Promise<void> {
      passwords.requireAcceptable(newPassword, 'input.newPassword');
      const { ctx, owner, tenant, spend } = await letterTokens.open(request, token, 'RESET_PASSWORD');
      const { customerPasswords, employeePasswords } = tenant.settings;
      const passwordHash = await passwords.hash(newPassword);
      await database.transaction(ctx, async (tx) => {
        const where = { id: owner.id, enabled: true };
        const [account] =
          owner.kind === 'customer'
            ? await tx.customer.updateManyAndReturn({
                where,
                data: { passwordHash, emailVerifiedAt: new Date(), unconfirmed: false },
              })
            : await tx.employee.updateManyAndReturn({ where, data: { passwordHash } });
        const isAllowed = owner.kind === 'customer' ? customerPasswords : employeePasswords;
        if (!account || !isAllowed) throw new OAuthError('invalid_grant', { cause: 'disabled, or passwords are off' });
        await spend(tx);
        await letterTokens.voidAll(tx, owner);
        await attempts.forgive(tx, owner.kind, account.email);
        await recordAudit(tx, ctx, { type: `${owner.kind}.password_reset`, actor: owner, subject: owner });
        await sessions.endAll(tx, ctx, owner, 'password.reset');
      });
      await revocations.felt();
    },
  };
}

/** See `createPasswordReset`. */
export type PasswordReset = ReturnType<typeof createPasswordReset>;
