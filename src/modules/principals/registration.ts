// A guest makes an account. With double opt-in nobody can sign in to it before the owner of the address has confirmed,
// and the answer is the same where the address has an account already: the same work is done and undone, and the letter
// tells the owner (security case 75).

import { randomUUID } from 'node:crypto';
import type { Ctx, RequestContext } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { conflict } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { Administer, Change } from '../administration/administration.ts';
import { recordAudit } from '../audit/audit.ts';
import type { LetterTokens } from '../letters/letter-tokens.ts';
import type { Letters } from '../letters/letters.ts';
import type { Attempts } from '../limits/attempts.ts';
import { networkOf } from '../limits/network.ts';
import { createRate } from '../limits/rates.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { Customer, Customers, NewCustomer } from './customers.ts';

/** Letters that one address may be sent by strangers, in 15 minutes. */
const MOST_LETTERS = 5;

/** Takes back all that has been done, and keeps what the caller is to be answered. */
class Undone extends Error {
  readonly answer: Customer;

  constructor(answer: Customer) {
    super('The address has an account.');
    this.answer = answer;
  }
}

/** Use cases of registering. */
export function createRegistration(deps: {
  administer: Administer;
  attempts: Attempts;
  customers: Customers;
  database: Database;
  letters: Letters;
  letterTokens: LetterTokens;
  tenants: Tenants;
}) {
  const { administer, attempts, customers, database, letters, letterTokens, tenants } = deps;
  const registrations = createRate({ limit: 100, windowSeconds: 3600 });

  /** Tells the owner of the address instead of the caller. */
  const tellOwner = (ctx: Ctx, address: string) =>
    database.transaction(ctx, async (tx) => {
      const owner = await tx.customer.findFirst({ where: { email: address }, select: { id: true } });
      if (!owner) return;
      await letters.put(tx, ctx, { kind: 'REGISTRATION', address });
      const subject = { kind: 'customer', id: owner.id } as const;
      await recordAudit(tx, ctx, { type: 'customer.registered_again', outcome: 'refused', subject });
    });

  return {
    /**
     * @param rest what comes with the account, in the same change
     * @throws BAD_USER_INPUT, RATE_LIMITED after 100 an hour from one address, CONFLICT `EMAIL_TAKEN` without double
     * opt-in, SERVICE_UNAVAILABLE with it where no mail can be sent
     */
    async signUp(
      ctx: Ctx,
      input: NewCustomer,
      rest?: (change: Change, customer: Customer) => Promise<void>,
    ): Promise<Customer> {
      if (ctx.ipAddress !== null) registrations.take(networkOf(ctx.ipAddress));
      const { doubleOptIn: unconfirmed } = tenants.get(ctx).settings;
      if (unconfirmed) letters.requireAvailable();
      const account = await customers.prepare(input);
      const { email } = account;
      if (unconfirmed) await attempts.begin(ctx, 'registration', email, MOST_LETTERS);

      async function make(tx: TenantClient, change?: Change): Promise<Customer> {
        const made = await customers.insert(tx, ctx, { ...account, unconfirmed });
        if (!made && !unconfirmed) throw conflict('EMAIL_TAKEN', 'There is an account of that address.');
        const stranger = { ...account, unconfirmed, email: `${randomUUID()}@taken.invalid` };
        const customer = made ?? (await customers.insert(tx, ctx, stranger))!;
        if (change) await rest?.(change, customer);
        if (unconfirmed) await letters.put(tx, ctx, { kind: 'REGISTRATION', address: email });
        if (!made) throw new Undone({ ...customer, email });
        return customer;
      }
      const making = rest
        ? administer(ctx, (change) => make(change.tx, change))
        : database.transaction(ctx, (tx) => make(tx));
      const answer = await making.catch(async (error: unknown) => {
        if (!(error instanceof Undone)) throw error;
        await tellOwner(ctx, email);
        return error.answer;
      });
      if (unconfirmed) letters.send();
      return answer;
    },

    /** The owner of the address confirms the account by the link. @throws INVALID_GRANT */
    async confirm(request: RequestContext, token: string): Promise<void> {
      const { ctx, owner, spend } = await letterTokens.open(request, token, 'CONFIRM_CUSTOMER');
      await database.transaction(ctx, async (tx) => {
        const { count } = await tx.customer.updateMany({
          where: { id: owner.id, enabled: true },
          data: { unconfirmed: false, emailVerifiedAt: new Date(), version: { increment: 1 } },
        });
        if (count === 0) throw new OAuthError('invalid_grant', { cause: 'the account is gone or disabled' });
        await spend(tx);
        await recordAudit(tx, ctx, { type: 'customer.confirmed', actor: owner, subject: owner });
      });
    },
  };
}

/** See `createRegistration`. */
export type Registration = ReturnType<typeof createRegistration>;
