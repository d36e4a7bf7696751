// All routes that storefronts and consoles written for Emporix call. EMPORIX_COMPAT=false leaves them out.

import type { Route } from '../router.ts';
import { createContactAssignmentRoutes } from './contact-assignments.ts';
import { createCustomerProfileRoutes } from './customer-profile.ts';
import { createCustomerTokenRoutes } from './customer-tokens.ts';
import { createCustomerLoginRoutes } from './customerlogin.ts';
import { createIamRoutes } from './iam-routes.ts';
import { createLegalEntityRoutes } from './legal-entities.ts';
import { createLocationRoutes } from './locations.ts';
import { createSessionContextRoutes } from './session-context.ts';

/** The use cases behind them. */
type Deps = Parameters<typeof createCustomerLoginRoutes>[0] &
  Parameters<typeof createCustomerTokenRoutes>[0] &
  Parameters<typeof createCustomerProfileRoutes>[0] &
  Parameters<typeof createIamRoutes>[0] &
  Parameters<typeof createLegalEntityRoutes>[0] &
  Parameters<typeof createContactAssignmentRoutes>[0] &
  Parameters<typeof createLocationRoutes>[0] &
  Parameters<typeof createSessionContextRoutes>[0];

/** One family after the other. */
export const createEmporixRoutes = (deps: Deps): Route[] => [
  ...createCustomerLoginRoutes(deps),
  ...createCustomerTokenRoutes(deps),
  ...createCustomerProfileRoutes(deps),
  ...createIamRoutes(deps),
  ...createLegalEntityRoutes(deps),
  ...createContactAssignmentRoutes(deps),
  ...createLocationRoutes(deps),
  ...createSessionContextRoutes(deps),
];
