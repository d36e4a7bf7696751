// Extension grant (RFC 9700 s.2.4 forbids `password`): an employee signs in at the service itself.
// Invariant: nothing tells an unknown account, a disabled one and a wrong password apart.

import { z } from 'zod';
import type { Database } from '../../database/database.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { Attempts } from '../limits/attempts.ts';
import { networkOf } from '../limits/network.ts';
import { createRate } from '../limits/rates.ts';
import type { Employees } from '../principals/employees.ts';
import type { Passwords } from '../principals/passwords.ts';
import { inTenant } from '../tenants/in-tenant.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { EmployeeSessions } from './employee-session.ts';
import type { EmployeeTokens } from './employee-tokens.ts';
import { extensionGrant, type Grant } from './grant.ts';
import { provePassword } from './prove-password.ts';

const parameters = z.object({ tenant: z.string(), email: z.string(), password: z.string() });

/** The employee's login. */
export function createEmployeeLoginGrant(deps: {
  attempts: Attempts;
  database: Database;
  employees: Employees;
  employeeSessions: EmployeeSessions;
  passwords: Passwords;
  tenants: Tenants;
}): Grant<typeof parameters, EmployeeTokens, 'none'> {
  const { employees, employeeSessions, passwords, tenants } = deps;

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
      return employeeSessions.begin(ctx, tenant, async (tx) => {
        const employee = await employees.holdEnabled(tx, ctx, proved.id);
        if (employee && employee.passwordHash === proved.passwordHash) return employee;
        throw new OAuthError('invalid_grant', { cause: 'disabled, or the password was changed meanwhile' });
      });
    },
  };
}
