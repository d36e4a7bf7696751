// All routes that storefronts and consoles written for Emporix call. EMPORIX_COMPAT=false leaves them out.

import type { Route } from '../router.ts';
import { createContactAssignmentRoutes } from './contact-assignments.ts';
import { createCustomerLoginRoutes } from './customerlogin.ts';
import { createLegalEntityRoutes } from './legal-entities.ts';
import { createLocationRoutes } from './locations.ts';
import { createSessionContextRoutes } from './session-context.ts';

/** The use cases behind them. */
type Deps = Parameters<typeof createContactAssignmentRoutes>[0] &
  Parameters<typeof createCustomerLoginRoutes>[0] &
  Parameters<typeof createLegalEntityRoutes>[0] &
  Parameters<typeof createLocationRoutes>[0] &
  Parameters<typeof createSessionContextRoutes>[0];

/** One family after the other. */
export const createEmporixRoutes = (deps: Deps): Route[] => [
  ...createContactAssignmentRoutes(deps),
  ...createCustomerLoginRoutes(deps),
  ...createLegalEntityRoutes(deps),
  ...createLocationRoutes(deps),
  ...createSessionContextRoutes(deps),
];
