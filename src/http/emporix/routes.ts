// All routes that storefronts and consoles written for Emporix call. EMPORIX_COMPAT=false leaves them out.

import type { Route } from '../router.ts';
import { createCustomerLoginRoutes } from './customerlogin.ts';
import { createSessionContextRoutes } from './session-context.ts';

/** The use cases behind them. */
type Deps = Parameters<typeof createCustomerLoginRoutes>[0] & Parameters<typeof createSessionContextRoutes>[0];

/** One family after the other. */
export const createEmporixRoutes = (deps: Deps): Route[] => [
  ...createCustomerLoginRoutes(deps),
  ...createSessionContextRoutes(deps),
];
