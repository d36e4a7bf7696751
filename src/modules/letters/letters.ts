// Letters to customers and employees. They are put down in the transaction of what they tell of, and sent after it, by
// the postman: nobody waits for a mail server, and nothing is lost with one that is away.

import type { Ctx } from '../../context.ts';
import type { TenantClient } from '../../database/database.ts';
import { serviceUnavailable } from '../../errors/domain-error.ts';
import type { Mail } from '../../mail/mail.ts';
import type { DueLetter } from './writing.ts';

/** A letter to be sent. `customerId` where it is known whose account it is about. */
export type NewLetter = Pick<DueLetter, 'kind' | 'address'> & Partial<Pick<DueLetter, 'userType' | 'customerId'>>;

/** Use cases of letters. */
export function createLetters(deps: { mail: Pick<Mail, 'isAvailable'>; wakePostman: () => void }) {
  return {
    /** Asked first by whatever ends in a letter. @throws SERVICE_UNAVAILABLE where no mail can be sent */
    requireAvailable(): void {
      if (!deps.mail.isAvailable) throw serviceUnavailable('no mail server is configured: SMTP_URL');
    },

    /** Puts a letter down in the caller's transaction. Call `send` after the commit. */
    async put(tx: TenantClient, ctx: Pick<Ctx, 'tenantId'>, letter: NewLetter): Promise<void> {
      const { userType = 'CUSTOMER', ...rest } = letter;
      await tx.letter.createMany({ data: [{ tenantId: ctx.tenantId, userType, ...rest }] });
    },

    /** Tells the postman. Nothing waits for it, and if it never happens the letter goes a little later. */
    send: (): void => deps.wakePostman(),
  };
}

/** See `createLetters`. */
export type Letters = ReturnType<typeof createLetters>;
