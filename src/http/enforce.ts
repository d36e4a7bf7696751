// Who may call a route: decided before its handler runs, from the route table alone.
// Invariant: a path that names a tenant is for bearers of that tenant, whatever they may do in their own.

import { forbidden } from '../errors/domain-error.ts';
import { OAuthError } from '../errors/oauth-error.ts';
import { decide } from '../permissions/access.ts';
import type { Call, Route } from './router.ts';

/** Is there nothing to decide before the handler? */
export const isFree = ({ access }: Route): boolean => access.kind === 'checked' || access.kind === 'open';

/** @throws OAuthError `invalid_token` without a good bearer, or with one of another tenant; FORBIDDEN */
export async function enforce({ access }: Route, call: Call): Promise<void> {
  if (access.kind === 'checked' || access.kind === 'open') return;
  const { principal } = await call.authenticate();
  const { tenant } = call.params;
  if (principal && tenant !== undefined && principal.tenantId !== tenant)
    throw new OAuthError('invalid_token', { cause: 'of another tenant' });
  const decision = decide(access, principal);
  if (decision.allowed) return;
  throw decision.authenticated ? forbidden(decision.required, decision.missing) : new OAuthError('invalid_token');
}
