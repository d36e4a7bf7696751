// The list of kinds. What must know every kind says `satisfies Record<TokenKind, …>` and stops compiling until told.

import type { TokenKind } from '../claims.ts';
import type { TokenKindDefinition } from '../token-kind.ts';
import { anonymousRefreshToken, anonymousToken } from './anonymous-token.ts';
import { customerToken } from './customer-token.ts';
import { employeeToken } from './employee-token.ts';
import { saasToken } from './saas-token.ts';
import { serviceToken } from './service-token.ts';

/** Every kind of signed token. */
export const tokenKinds = {
  service: serviceToken,
  employee: employeeToken,
  anonymous: anonymousToken,
  customer: customerToken,
  saas: saasToken,
  'anonymous-refresh': anonymousRefreshToken,
} satisfies { [Kind in TokenKind]: TokenKindDefinition<Kind> };
