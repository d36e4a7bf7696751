// The parts of identity and access management, put together.

import type { Database } from '../../database/database.ts';
import type { Administer } from '../administration/administration.ts';
import type { Clients } from '../clients/clients.ts';
import type { Customers } from '../principals/customers.ts';
import type { Employees } from '../principals/employees.ts';
import type { ScopeCatalogue } from '../scopes/custom-scopes.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { createAccessAsCode } from './access-as-code.ts';
import { createAccessControls } from './access-controls.ts';
import { createConsequences } from './consequences.ts';
import { createContents } from './contents.ts';
import { createCustomerAccounts } from './customer-accounts.ts';
import { createEmployeeAccounts } from './employee-accounts.ts';
import { createEntitlementSources } from './entitlement-sources.ts';
import { createEntitlements } from './entitlements.ts';
import { createGroups } from './groups.ts';
import { createMembers } from './members.ts';
import { createMemberships } from './memberships.ts';
import { createRoles } from './roles.ts';
import { createScopeDefinitions } from './scope-definitions.ts';
import { createIamSetUp } from './set-up.ts';
import { createTemplates } from './templates.ts';
import { createTokenRoom } from './token-room.ts';
import { createUsers } from './users.ts';

/** Makes them. */
export function createAccessManagement(deps: {
  administer: Administer;
  clients: Clients;
  customers: Customers;
  database: Database;
  employees: Employees;
  scopes: ScopeCatalogue;
  tenants: Tenants;
}) {
  const { administer, clients, customers, database, employees, scopes, tenants } = deps;
  const entitlements = createEntitlements({ scopes, tenants });
  const tokenRoom = createTokenRoom({ entitlements });
  const scopeDefinitions = createScopeDefinitions({ administer, scopes, tokenRoom });
  const consequences = createConsequences({ entitlements, tokenRoom });
  const roles = createRoles({ administer, consequences, database, scopes });
  const accessControls = createAccessControls({ administer, consequences, database, scopes });
  const templates = createTemplates({ accessControls, administer, consequences, database });
  const groups = createGroups({ accessControls, administer, consequences, database, entitlements });
  const memberships = createMemberships({ administer, consequences, groups, tokenRoom });
  const members = createMembers({ database });
  const useCases = { accessControls, groups, memberships, roles, scopeDefinitions, scopes, templates };
  return {
    accessAsCode: createAccessAsCode({ ...useCases, administer, consequences, entitlements }),
    accessControls,
    contents: createContents({ database, entitlements }),
    customerAccounts: createCustomerAccounts({ administer, customers, entitlements }),
    employeeAccounts: createEmployeeAccounts({ administer, consequences, employees, entitlements, memberships }),
    entitlements,
    entitlementSources: createEntitlementSources({ clients, entitlements, scopes, tenants }),
    groups,
    iamSetUp: createIamSetUp({ administer }),
    members,
    memberships,
    roles,
    scopeDefinitions,
    templates,
    users: createUsers({ database, entitlements, members }),
  };
}
