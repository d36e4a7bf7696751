// How a customer's session begins, whatever the customer was proved by: in the guest's session, which is claimed (the
// table's key lets one login have it, and from the commit on the guest's tokens are worthless), or in one of its own.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { unauthenticated } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { Clients } from '../clients/clients.ts';
import { FIRST_PARTY_CLIENT } from '../clients/first-party.ts';
import type { ContactAssignments } from '../companies/contact-assignments.ts';
import type { Customer } from '../principals/customers.ts';
import type { GuestContext } from '../principals/principal.ts';
import { sessionKey } from '../revocations/revocation-key.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { RefreshTokens } from '../sessions/refresh-tokens.ts';
import { newSessionId, type Sessions } from '../sessions/sessions.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { TokenIssuer } from '../tokens/issue.ts';
import type { CustomerFactsOf } from './customer-facts.ts';
import { type CustomerTokens, issueCustomerTokens } from './customer-tokens.ts';

/** The guest whose session goes on. */
export interface Guest {
  readonly sessionId: string;
  readonly clientId: string;
  readonly context: GuestContext;
}

/** A login that is to become a session. */
export interface CustomerLogin {
  readonly tenant: Tenant;
  /** Null: in a session of its own. */
  readonly guest: Guest | null;
  /** Where a session of its own begins; absent or null: at the service itself. */
  readonly clientId?: string | null;
  readonly legalEntityId: string | null;
  /** The customer, held until the commit, so that whoever disables the account or sets a password meanwhile sees the
   * session. @throws INVALID_GRANT */
  prove(tx: TenantClient): Promise<Customer>;
}

const clientOf = ({ guest, clientId = null }: CustomerLogin): string | null => guest?.clientId ?? clientId;

/** Beginning of customers' sessions. */
export function createCustomerSessions(deps: {
  clients: Clients;
  contactAssignments: ContactAssignments;
  database: Database;
  customerFacts: CustomerFactsOf;
  refreshTokens: RefreshTokens;
  revocations: Revocations;
  sessions: Sessions;
  tokens: TokenIssuer;
}) {
  const { clients, contactAssignments, customerFacts, database, refreshTokens, revocations, sessions, tokens } = deps;

  /** The revocation entry is written before the other facts are read, so the number it gets can be stamped on the tokens:
   * whatever changes after it has a higher one, and what the proof has ended has a lower one. */
  async function claim(tx: TenantClient, ctx: Ctx, login: CustomerLogin, customer: Customer) {
    const { tenant, guest, legalEntityId } = login;
    const clientId = clientOf(login);
    const sessionId = guest?.sessionId ?? newSessionId();
    const owner = { kind: 'customer', id: customer.id } as const;
    const refreshToken = refreshTokens.first();
    await sessions.begin(tx, ctx, {
      id: sessionId,
      owner,
      clientId,
      legalEntityId,
      context: guest?.context ?? null,
      idleSeconds: tenant.settings.customerRefreshSeconds,
      mostSeconds: tenant.settings.customerSessionSeconds,
      refreshTokenId: refreshToken.id,
      event: { type: 'login.succeeded', actor: owner, subject: { kind: 'session', id: sessionId }, legalEntityId },
    });
    const rev = await revocations.record(tx, ctx, [sessionKey(sessionId)], 'session.claimed');
    if (clientId !== null && !(await clients.isEnabled(tx, ctx, clientId)))
      throw unauthenticated('the client or tenant is disabled');
    const facts = await customerFacts.findWithin(tx, ctx, { customerId: customer.id, legalEntityId });
    if (!facts) throw new OAuthError('invalid_grant', { cause: 'the customer is disabled' });
    return { ...facts, sessionId, refreshToken: refreshToken.token, rev };
  }

  return {
    /** Is the guest still one whom a login may claim? @throws UNAUTHENTICATED */
    async requireClaimable(ctx: Ctx, guest: Guest): Promise<void> {
      if (await sessions.isClaimed(ctx, guest.sessionId)) throw unauthenticated('the session has been claimed before');
    },

    /** Begins the session, and issues its tokens. @throws what `prove` throws, UNAUTHENTICATED for a guest who has been
     * claimed, ACCESS_DENIED for the company */
    async begin(ctx: Ctx, login: CustomerLogin): Promise<CustomerTokens> {
      const { tenant, legalEntityId } = login;
      let provedId = '';
      const begun = await database
        .transaction(ctx, async (tx) => {
          const customer = await login.prove(tx);
          provedId = customer.id;
          return claim(tx, ctx, login, customer);
        })
        .catch(async (error: unknown) => {
          const isRefusal = error instanceof OAuthError && error.code === 'access_denied';
          if (isRefusal) await contactAssignments.recordRefusal(ctx, provedId, legalEntityId ?? '');
          throw error;
        });
      await revocations.felt();
      const { sessionId, customer, legalEntity, refreshToken } = begun;
      const clientId = clientOf(login) ?? FIRST_PARTY_CLIENT;
      return {
        ...(await issueCustomerTokens(tokens, { ...begun, tenant, clientId })),
        refreshToken: { token: refreshToken, expiresIn: tenant.settings.customerRefreshSeconds, legalEntity },
        branchedFrom: null,
        sessionId,
        legalEntity,
        customer,
      };
    },
  };
}

/** See `createCustomerSessions`. */
export type CustomerSessions = ReturnType<typeof createCustomerSessions>;
