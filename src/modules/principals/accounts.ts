// Everything about accounts of people, put together: making them, signing in to them, and changing how.

import type { Database } from '../../database/database.ts';
import type { Administer } from '../administration/administration.ts';
import type { LetterTokens } from '../letters/letter-tokens.ts';
import type { Letters } from '../letters/letters.ts';
import type { Attempts } from '../limits/attempts.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { createCustomers } from './customers.ts';
import { createEmailChange } from './email-change.ts';
import { createEmployees } from './employees.ts';
import { createOwnPassword } from './own-password.ts';
import { createPasswordChange } from './password-change.ts';
import { createPasswordReset } from './password-reset.ts';
import { createPasswords } from './passwords.ts';
import { createRegistration } from './registration.ts';

/** Use cases of accounts, by name. */
export function createAccounts(deps: {
  administer: Administer;
  attempts: Attempts;
  database: Database;
  letters: Letters;
  letterTokens: LetterTokens;
  revocations: Revocations;
  sessions: Sessions;
  tenants: Tenants;
  /** Processes that share the cores. */
  workers: number;
  passwordCost?: Pick<NonNullable<Parameters<typeof createPasswords>[0]>, 'memoryKiB'>;
}) {
  const passwords = createPasswords({ ...deps.passwordCost, workers: deps.workers });
  const customers = createCustomers({ ...deps, passwords });
  const ownPassword = createOwnPassword({ ...deps, passwords });
  return {
    customers,
    emailChange: createEmailChange({ ...deps, ownPassword }),
    employees: createEmployees({ ...deps, passwords }),
    passwordChange: createPasswordChange({ ...deps, ownPassword, passwords }),
    passwordReset: createPasswordReset({ ...deps, passwords }),
    passwords,
    registration: createRegistration({ ...deps, customers }),
  };
}
