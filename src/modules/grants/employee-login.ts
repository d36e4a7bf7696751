// Extension grant (RFC 9700 s.2.4 forbids `password`): an employee signs in at the service itself.
// Invariant: nothing tells an unknown account, a disabled one and a wrong password apart.

import { z } from 'zod';
import type { Database } from '../../database/database.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { recordAudit } from '../audit/audit.ts';
import type { EntitlementsOf } from '../iam/entitlements.ts';
import type { Attempts } from '../limits/attempts.ts';
import { networkOf } from '../limits/network.ts';
import { createRate } from '../limits/rates.ts';
import type { Employees } from '../principals/employees.ts';
import type { Passwords } from '../principals/passwords.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { RefreshTokens } from '../sessions/refresh-tokens.ts';
import { newSessionId, type Sessions } from '../sessions/sessions.ts';
import { inTenant } from '../tenants/in-tenant.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { TokenIssuer } from '../tokens/issue.ts';
import { type EmployeeTokens, issueEmployeeAccessToken } from './employee-tokens.ts';
import { extensionGrant, type Grant } from './grant.ts';
import { provePassword } from './prove-password.ts';

const parameters = z.object({ tenant: z.string(), email: z.string(), password: z.string() });

/** The employee's login. */
export function createEmployeeLoginGrant(deps: {
  attempts: Attempts;
  database: Database;
  employees: Employees;
  entitlements: EntitlementsOf;
  passwords: Passwords;
  refreshTokens: RefreshTokens;
  revocations: Revocations;
  sessions: Sessions;
  tenants: Tenants;
  tokens: TokenIssuer;
}): Grant<typeof parameters, EmployeeTokens, 'none'> {
  const { database, employees, entitlements, passwords } = deps;
  const { refreshTokens, revocations, sessions, tenants, tokens } = deps;

  /** A flood of hashes for tenants that do not exist has no attempts to be counted with. */
  const unknownTenants = createRate({ limit: 100, windowSeconds: 15 * 60 });

  return {
    grantType: extensionGrant('employee-login'),
    parameters,
    client: 'none',
    async handle(request, { tenant: tenantId, email, password }) {
      const tenant = tenants.find(tenantId);
      // An unknown tenant costs a hash too, so it cannot be told from a wrong password by time.
      if (!tenant) {
        passwords.requireHashable(password, 'input.password');
        if (request.ipAddress !== null) unknownTenants.take(networkOf(request.ipAddress));
        await passwords.matches(password, null);
        throw new OAuthError('invalid_grant', { cause: 'unknown tenant' });
      }
      const ctx = inTenant(request, tenant.id);
      const proved = await provePassword(deps, ctx, {
        kind: 'employee',
        email,
        password,
        allowed: tenant.settings.employeePasswords,
        accounts: employees,
      });
      const rev = await revocations.latest();
      const sessionId = newSessionId();
      const { employeeSessionSeconds } = tenant.settings;
      const begun = await database.transaction(ctx, async (tx) => {
        const employee = await employees.holdEnabled(tx, ctx, proved.id);
        if (!employee || employee.passwordHash !== proved.passwordHash) {
          throw new OAuthError('invalid_grant', { cause: 'disabled, or the password was changed meanwhile' });
        }
        const owner = { kind: 'employee', id: employee.id } as const;
        await sessions.begin(tx, ctx, {
          id: sessionId,
          owner,
          clientId: null,
          legalEntityId: null,
          context: null,
          idleSeconds: employeeSessionSeconds,
          mostSeconds: employeeSessionSeconds,
        });
        const refreshToken = await refreshTokens.issueFirst(tx, ctx, sessionId, null);
        await recordAudit(tx, ctx, {
          type: 'login.succeeded',
          actor: owner,
          subject: { kind: 'session', id: sessionId },
        });
        return { employee, refreshToken, entitled: await entitlements.ofEmployee(tx, ctx, employee.id) };
      });
      const { employee, refreshToken, entitled } = begun;
      const subject = { tenant, employee, sessionId, entitled, rev, lifetimeSeconds: employeeSessionSeconds };
      return {
        accessToken: await issueEmployeeAccessToken(tokens, subject),
        refreshToken: { token: refreshToken, expiresIn: employeeSessionSeconds },
        sessionId,
        employee,
      };
    },
  };
}
