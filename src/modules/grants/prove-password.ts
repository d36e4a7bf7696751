// Proving a password, for customers and employees alike: counted, looked up, checked, told to the trail.
// Invariant: nothing tells an unknown account, a disabled one and a wrong password apart, and what could not be
// checked does not count as failed.

import type { Ctx } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { recordAudit } from '../audit/audit.ts';
import type { Attempts } from '../limits/attempts.ts';
import { attemptKey } from '../principals/email.ts';
import type { Passwords } from '../principals/passwords.ts';

interface Account {
  readonly id: string;
  readonly enabled: boolean;
  readonly passwordHash: string | null;
  /** Has the owner of a customer's address still to confirm it? */
  readonly unconfirmed?: boolean;
}

interface Deps {
  readonly attempts: Attempts;
  readonly database: Database;
  readonly passwords: Passwords;
}

/** What is shown, and where it is looked up. */
export interface ShownPassword<Found extends Account> {
  readonly kind: 'customer' | 'employee';
  readonly email: string;
  readonly password: string;
  /** Does the tenant let accounts of this kind sign in with a password? */
  readonly allowed: boolean;
  readonly accounts: {
    findByEmail(ctx: Ctx, email: string): Promise<Found | null>;
    rehash(ctx: Ctx, account: Found, password: string): Promise<Found | null>;
  };
}

/** The account whose password was shown. @throws RATE_LIMITED, INVALID_GRANT, SERVICE_UNAVAILABLE */
export async function provePassword<Found extends Account>(
  deps: Deps,
  ctx: Ctx,
  shown: ShownPassword<Found>,
): Promise<Found> {
  deps.passwords.requireHashable(shown.password, 'input.password');
  return deps.passwords.admit(() => prove(deps, ctx, shown));
}

async function prove<Found extends Account>(
  { attempts, database, passwords }: Deps,
  ctx: Ctx,
  { kind, email, password, allowed, accounts }: ShownPassword<Found>,
): Promise<Found> {
  async function check() {
    const account = allowed ? await accounts.findByEmail(ctx, email) : null;
    return { account, isRight: await passwords.matches(password, account?.passwordHash ?? null) };
  }

  const attempt = await attempts.begin(ctx, kind, attemptKey(email));
  const { account, isRight } = await check().catch(async (error: unknown) => {
    await attempts.withdraw(ctx, attempt);
    throw error;
  });
  if (!account || !isRight || !account.enabled || account.unconfirmed) {
    await recordAudit(database.forTenant(ctx), ctx, {
      type: 'login.failed',
      outcome: 'refused',
      reason: !account ? 'unknown account' : !isRight ? 'wrong password' : account.enabled ? 'unconfirmed' : 'disabled',
      ...(account ? { subject: { kind, id: account.id } } : {}),
    });
    throw new OAuthError('invalid_grant', { cause: 'unknown account, wrong password, disabled or unconfirmed' });
  }
  await attempts.succeeded(ctx, attempt);
  if (!account.passwordHash || !passwords.isOutdated(account.passwordHash)) return account;

  const rehashed = await accounts.rehash(ctx, account, password);
  if (rehashed) return rehashed;
  // Another login was faster, or the password has been changed.
  const again = await check();
  if (again.account?.enabled && !again.account.unconfirmed && again.isRight) return again.account;
  throw new OAuthError('invalid_grant', { cause: 'disabled, or the password was changed meanwhile' });
}
