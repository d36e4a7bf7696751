// A customer signs in with another address from now on. Invariants: the password is proved first and the new address
// second; whether that one has an account already only its owner is told; whoever was signed in signs in again.

import type { Ctx, RequestContext } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { badInput } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { recordAudit } from '../audit/audit.ts';
import type { LetterTokens } from '../letters/letter-tokens.ts';
import type { Letters } from '../letters/letters.ts';
import type { Attempts } from '../limits/attempts.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { requireEmail } from './email.ts';
import type { OwnPassword } from './own-password.ts';

/** Letters that one customer may send to strangers, in 15 minutes. */
const MOST_LETTERS = 5;

const isUniqueViolation = (error: unknown) => (error as { code?: unknown } | null)?.code === 'P2002';

/** Use cases of changing a customer's address. */
export function createEmailChange(deps: {
  attempts: Attempts;
  database: Database;
  letters: Letters;
  letterTokens: LetterTokens;
  ownPassword: OwnPassword;
  revocations: Revocations;
  sessions: Sessions;
}) {
  const { attempts, database, letters, letterTokens, ownPassword, revocations, sessions } = deps;

  return {
    /** Sends a link to the new address, and a notice to the old one. @throws BAD_USER_INPUT, INVALID_GRANT for a wrong
     * password, RATE_LIMITED, SERVICE_UNAVAILABLE */
    async request(ctx: Ctx, newEmail: string, password: string): Promise<void> {
      const address = requireEmail(newEmail, 'input.newEmail');
      letters.requireAvailable();
      const { owner, email } = await ownPassword.prove(ctx, password, 'input.password');
      if (address === email) throw badInput('input.newEmail', 'This is the address of the account.');
      await attempts.begin(ctx, 'address change', owner.id, MOST_LETTERS);
      await database.transaction(ctx, async (tx) => {
        const customerId = owner.id;
        await letters.put(tx, ctx, { kind: 'EMAIL_CHANGE', customerId, address });
        await letters.put(tx, ctx, { kind: 'EMAIL_CHANGE_NOTICE', customerId, address: email });
        await recordAudit(tx, ctx, { type: 'customer.email_change_requested', subject: owner });
      });
      letters.send();
    },

    /** Changes the address by the link. Tokens carry the former one, so every session ends, and links that were sent to
     * it are void. @throws INVALID_GRANT, also where the address has come to have another account */
    async confirm(request: RequestContext, token: string): Promise<void> {
      const { ctx, owner, newEmail, spend } = await letterTokens.open(request, token, 'CHANGE_EMAIL');
      const change = database.transaction(ctx, async (tx) => {
        const { count } = await tx.customer.updateMany({
          where: { id: owner.id, enabled: true },
          data: { email: newEmail ?? '', emailVerifiedAt: new Date(), version: { increment: 1 } },
        });
        if (count === 0) throw new OAuthError('invalid_grant', { cause: 'the account is gone or disabled' });
        await spend(tx);
        await letterTokens.voidAll(tx, owner);
        await recordAudit(tx, ctx, { type: 'customer.email_changed', actor: owner, subject: owner });
        await sessions.endAll(tx, ctx, owner, 'email.changed');
      });
      await change.catch((error: unknown) => {
        if (isUniqueViolation(error)) throw new OAuthError('invalid_grant', { cause: 'the address has been taken' });
        throw error;
      });
      await revocations.felt();
    },
  };
}

/** See `createEmailChange`. */
export type EmailChange = ReturnType<typeof createEmailChange>;
