// The parts of single sign-on, put together.

import type { Database } from '../../database/database.ts';
import type { Administer } from '../administration/administration.ts';
import type { EntitlementsOf } from '../iam/entitlements.ts';
import type { Memberships } from '../iam/memberships.ts';
import type { Customers } from '../principals/customers.ts';
import type { Employees } from '../principals/employees.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { createAuthorizations } from './authorizations.ts';
import { createCodeExchange } from './code-exchange.ts';
import { createExternalIdentities } from './external-identities.ts';
import { createGroupsByClaim } from './groups-by-claim.ts';
import { createIdentityProviders } from './identity-providers.ts';
import { createOutgoing } from './outgoing.ts';
import { createProviderConnections } from './provider-connections.ts';
import { createSubjectTokens } from './subject-tokens.ts';

/** Makes them. `allowPrivate`: providers may have private addresses, and speak http. */
export function createSingleSignOn(deps: {
  administer: Administer;
  allowPrivate: boolean;
  customers: Customers;
  database: Database;
  employees: Employees;
  entitlements: EntitlementsOf;
  keyEncryptionSecret: string;
  memberships: Memberships;
  revocations: Revocations;
  sessions: Sessions;
}) {
  const { administer, allowPrivate, database, keyEncryptionSecret } = deps;
  const outgoing = createOutgoing({ allowPrivate });
  const providerConnections = createProviderConnections({ outgoing, allowPrivate, keyEncryptionSecret });
  const groupsByClaim = createGroupsByClaim(deps);
  const { entitlements } = deps;
  return {
    authorizations: createAuthorizations({ database, keyEncryptionSecret, providerConnections }),
    codeExchange: createCodeExchange({ providerConnections }),
    externalIdentities: createExternalIdentities(deps),
    groupsByClaim,
    identityProviders: createIdentityProviders({
      administer,
      database,
      entitlements,
      groupsByClaim,
      providerConnections,
    }),
    subjectTokens: createSubjectTokens({ outgoing, providerConnections }),
  };
}

/** See `createSingleSignOn`. */
export type SingleSignOn = ReturnType<typeof createSingleSignOn>;
