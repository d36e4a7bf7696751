// RFC 6749 s.6 for employees: rotation within a session that no refresh extends. Scopes come from the groups of now.

import { z } from 'zod';
import type { Database } from '../../database/database.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { EntitlementsOf } from '../iam/entitlements.ts';
import type { Employees } from '../principals/employees.ts';
import type { RefreshTokens, RefreshUse } from '../sessions/refresh-tokens.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { TokenIssuer } from '../tokens/issue.ts';
import { type EmployeeTokens, issueEmployeeAccessToken } from './employee-tokens.ts';
import { extensionGrant, type Grant } from './grant.ts';
import type { RefreshTokenSpending } from './spend-refresh-token.ts';

const parameters = z.object({
  refreshToken: z.string(),
  /** Who presents it, where the protocol says so. */
  clientId: z.string().optional(),
});

/** The employee's refresh. */
export function createRefreshEmployeeGrant(deps: {
  database: Database;
  employees: Employees;
  entitlements: EntitlementsOf;
  refreshTokens: RefreshTokens;
  spending: RefreshTokenSpending;
  tenants: Tenants;
  tokens: TokenIssuer;
}): Grant<typeof parameters, EmployeeTokens, 'none'> {
  const { database, employees, entitlements, refreshTokens, spending, tenants, tokens } = deps;
  return {
    grantType: extensionGrant('refresh-employee'),
    parameters,
    client: 'none',
    async handle(request, { refreshToken, clientId }) {
      const use: RefreshUse = { clientId: clientId ?? null, legalEntityId: undefined, branch: false };
      const { family, ctx } = await spending.present(request, refreshToken, 'employee', use);
      const tenant = tenants.find(family.tenantId);
      if (!tenant) throw new OAuthError('invalid_grant', { cause: 'the tenant is suspended' });
      const db = database.forTenant(ctx);
      const employee = await employees.findEnabled(db, ctx, family.owner.id);
      if (!employee) throw new OAuthError('invalid_grant', { cause: 'the employee is disabled' });
      const entitled = await entitlements.ofEmployee(db, ctx, employee.id);

      const slideSeconds = tenant.settings.employeeSessionSeconds;
      const chosen = { legalEntityId: null, slideSeconds, event: null };
      const turn = await spending.requireGood(
        ctx,
        family,
        await refreshTokens.rotate(ctx, family, refreshToken, use, chosen),
      );
      const { sessionId, rev } = family;
      const lifetimeSeconds = turn.expiresInSeconds;
      return {
        accessToken: await issueEmployeeAccessToken(tokens, {
          tenant,
          employee,
          sessionId,
          clientId: family.clientId,
          entitled,
          rev,
          lifetimeSeconds,
        }),
        refreshToken: { token: turn.token, expiresIn: turn.expiresInSeconds },
        sessionId,
        employee,
      };
    },
  };
}
