// An employee at work. Scopes come from groups, so a changed group ends it too.

import { groupKey, principalKey, sessionKey } from '../../revocations/revocation-key.ts';
import type { TokenKindDefinition } from '../token-kind.ts';

/** The employee token. */
export const employeeToken: TokenKindDefinition<'employee'> = {
  kind: 'employee',
  typ: 'at+jwt',
  lifetimeSeconds: (settings) => settings.employeeTokenSeconds,
  revocationKeys: (claims) => [
    sessionKey(claims.session_id),
    principalKey('employee', claims.sub),
    ...(claims.groups ?? []).map(groupKey),
  ],
};
