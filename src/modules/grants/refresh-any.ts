// RFC 6749 s.6 as its own words have it: one grant type for every refresh token, whosever it is. Which of the three
// grants decides follows from the token, and never from anything that the caller says besides.

import { z } from 'zod';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { RefreshTokens } from '../sessions/refresh-tokens.ts';
import type { CustomerTokens } from './customer-tokens.ts';
import type { EmployeeTokens } from './employee-tokens.ts';
import type { Grant } from './grant.ts';
import type { GuestTokens } from './guest-tokens.ts';
import type { createRefreshAnonymousGrant } from './refresh-anonymous.ts';
import type { createRefreshEmployeeGrant } from './refresh-employee.ts';
import type { createRefreshTokenGrant } from './refresh-token.ts';

const parameters = z.object({
  refreshToken: z.string(),
  /** Who presents it: the client that it was issued to, or it is refused. */
  clientId: z.string(),
  /** Absent: keep the company. Null: leave it. An id: switch to it. */
  legalEntityId: z.string().nullish(),
});

/** The refresh of guests, customers and employees. */
export function createRefreshAnyGrant(deps: {
  refreshTokens: RefreshTokens;
  refreshAnonymous: ReturnType<typeof createRefreshAnonymousGrant>;
  refreshEmployee: ReturnType<typeof createRefreshEmployeeGrant>;
  refreshToken: ReturnType<typeof createRefreshTokenGrant>;
}): Grant<typeof parameters, GuestTokens | CustomerTokens | EmployeeTokens, 'none'> {
  return {
    grantType: 'refresh_token',
    parameters,
    client: 'none',
    async handle(request, { refreshToken, clientId, legalEntityId }) {
      const family = await deps.refreshTokens.find(refreshToken);
      if (family?.owner.kind === 'customer')
        return deps.refreshToken.handle(request, { refreshToken, clientId, legalEntityId }, null);
      // Said and not done would be taken for done.
      if (legalEntityId)
        throw new OAuthError('invalid_request', { message: "Only a customer's token is refreshed for a company." });
      const grant = family ? deps.refreshEmployee : deps.refreshAnonymous;
      return grant.handle(request, { refreshToken, clientId }, null);
    },
  };
}
