// Extension grant: an employee acts for a customer (RFC 8693 s.4.1: `act`), with the customer's scopes and never more.
// It ends with the employee's right to assist. Short-lived, without a refresh token, in a session of its own that names the employee.

import { z } from 'zod';
import type { Database } from '../../database/database.ts';
import { badInput, forbidden, notFound, unauthenticated } from '../../errors/domain-error.ts';
import { FIRST_PARTY_CLIENT } from '../clients/first-party.ts';
import type { Employees } from '../principals/employees.ts';
import type { EmployeePrincipal } from '../principals/principal.ts';
import type { Revocations } from '../revocations/revocations.ts';
import { newSessionId, type Sessions } from '../sessions/sessions.ts';
import { inTenant } from '../tenants/in-tenant.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { TokenIssuer } from '../tokens/issue.ts';
import type { CustomerFactsOf } from './customer-facts.ts';
import { type CustomerTokens, issueCustomerTokens } from './customer-tokens.ts';
import { extensionGrant, type Grant } from './grant.ts';

const MOST_REASON_CHARACTERS = 500;

const parameters = z.object({ customerId: z.string(), legalEntityId: z.string().nullish(), reason: z.string() });

/** What takes the right to assist from the employee takes it from the token too. */
const groupsOf = ({ revocationKeys }: EmployeePrincipal): string[] =>
  revocationKeys.filter(({ kind }) => kind === 'GROUP').map(({ key }) => key);

/** The employee who assists. */
export function createAssistedCustomerGrant(deps: {
  customerFacts: CustomerFactsOf;
  database: Database;
  employees: Employees;
  revocations: Revocations;
  sessions: Sessions;
  tenants: Tenants;
  tokens: TokenIssuer;
}): Grant<typeof parameters, CustomerTokens, 'none'> {
  const { customerFacts, database, employees, revocations, sessions, tenants, tokens } = deps;
  return {
    grantType: extensionGrant('assisted-customer'),
    parameters,
    client: 'none',
    async handle(request, { customerId, legalEntityId = null, reason }) {
      const { principal } = request;
      // The scope alone is not enough: an assisted token, or a client, cannot assist.
      if (principal?.kind !== 'employee') throw forbidden([['customer.assisted_buying_manage']], []);
      if (reason.trim() === '' || reason.length > MOST_REASON_CHARACTERS) {
        throw badInput('input.reason', `Say why, in at most ${MOST_REASON_CHARACTERS} characters.`);
      }
      const ctx = inTenant(request, principal.tenantId);
      const tenant = tenants.get(ctx);
      const rev = await revocations.latest();
      const actorId = principal.employeeId;
      const sessionId = newSessionId();
      const seconds = tenant.settings.assistedTokenSeconds;
      const assisted = await database.transaction(ctx, async (tx) => {
        if (!(await employees.holdEnabled(tx, ctx, actorId))) throw unauthenticated('the employee is disabled');
        const facts = await customerFacts.findWithin(tx, ctx, { customerId, legalEntityId });
        if (!facts) throw notFound('Customer');
        await sessions.begin(tx, ctx, {
          id: sessionId,
          owner: { kind: 'customer', id: facts.customer.id },
          clientId: null,
          legalEntityId,
          context: null,
          actorId,
          idleSeconds: seconds,
          mostSeconds: seconds,
          event: {
            type: 'token.assisted',
            subject: { kind: 'customer', id: facts.customer.id },
            reason: reason.trim(),
            legalEntityId,
            details: { sessionId },
          },
        });
        return facts;
      });
      const { customer, legalEntity } = assisted;
      const subject = {
        ...assisted,
        tenant,
        sessionId,
        clientId: FIRST_PARTY_CLIENT,
        rev,
        actor: { id: actorId, groupIds: groupsOf(principal) },
        lifetimeSeconds: seconds,
      };
      const issued = await issueCustomerTokens(tokens, subject);
      return { ...issued, refreshToken: null, branchedFrom: null, sessionId, legalEntity, customer };
    },
  };
}
