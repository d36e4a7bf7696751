// Extension grants: somebody comes back from an identity provider with a code, or brings a token of it (RFC 8693). One
// decision for both: who that is here, and a session in which it goes on.
// Invariant: nothing that comes with the request chooses the provider's address, issuer or keys.

import { z } from 'zod';
import type { Ctx, RequestContext } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { unauthenticated } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { recordAudit } from '../audit/audit.ts';
import { networkOf } from '../limits/network.ts';
import { createRate } from '../limits/rates.ts';
import type { Employee } from '../principals/employees.ts';
import type { AnonymousPrincipal } from '../principals/principal.ts';
import type { Authorizations } from '../sso/authorizations.ts';
import type { CodeExchange, ExchangedCode } from '../sso/code-exchange.ts';
import { type ExternalIdentities, isOvertaken } from '../sso/external-identities.ts';
import type { ExternalPerson } from '../sso/external-person.ts';
import type { GroupsByClaim } from '../sso/groups-by-claim.ts';
import type { IdentityProvider, IdentityProviders } from '../sso/identity-providers.ts';
import type { SubjectTokens } from '../sso/subject-tokens.ts';
import { inTenant } from '../tenants/in-tenant.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { TokenVerifier } from '../tokens/verify.ts';
import type { CustomerSessions, Guest } from './customer-session.ts';
import type { CustomerTokens } from './customer-tokens.ts';
import type { EmployeeSessions } from './employee-session.ts';
import type { EmployeeTokens } from './employee-tokens.ts';
import { extensionGrant, type Grant } from './grant.ts';
import { guestOf } from './guest-of.ts';

/** RFC 8693 s.2.1. */
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

const returned = z.object({
  state: z.string(),
  code: z.string(),
  verifier: z.string(),
  iss: z.string().nullish(),
  legalEntityId: z.string().nullish(),
});

const exchanged = z.object({
  tenant: z.string(),
  provider: z.string(),
  userType: z.enum(['EMPLOYEE', 'CUSTOMER']),
  subjectToken: z.string(),
  anonymousToken: z.string().nullish(),
  legalEntityId: z.string().nullish(),
  /** Who asks, where the protocol says so: the session is begun at that client. */
  clientId: z.string().optional(),
});

const shown = z.object({
  redirectUri: z.string(),
  code: z.string(),
  codeVerifier: z.string().optional(),
});

const refuse = (cause: string) => new OAuthError('invalid_grant', { cause });

interface Deps {
  readonly authorizations: Authorizations;
  readonly codeExchange: CodeExchange;
  readonly customerSessions: CustomerSessions;
  readonly database: Database;
  readonly employeeSessions: EmployeeSessions;
  readonly externalIdentities: ExternalIdentities;
  readonly groupsByClaim: GroupsByClaim;
  readonly identityProviders: IdentityProviders;
  readonly subjectTokens: SubjectTokens;
  readonly tenants: Tenants;
  readonly verifier: TokenVerifier;
}

/** Somebody whom a provider vouches for, and where they want to go on. */
interface Arrival {
  readonly provider: IdentityProvider;
  readonly userType: 'EMPLOYEE' | 'CUSTOMER';
  readonly person: ExternalPerson;
  readonly guest: Guest | null;
  readonly legalEntityId: string | null;
  readonly clientId?: string;
  /** What must be true besides, in the transaction of the login. @throws INVALID_GRANT */
  settle?(tx: TenantClient): Promise<void>;
}

/** The guest of the request, of this tenant; null: none came along. @throws UNAUTHENTICATED for what is no good guest's token */
export async function guestAlong(
  verifier: TokenVerifier,
  request: RequestContext,
  tenantId: string,
  anonymousToken: string | null | undefined,
): Promise<AnonymousPrincipal | null> {
  if (anonymousToken == null && request.principal?.kind !== 'anonymous') return null;
  const guest = await guestOf(verifier, request, anonymousToken);
  if (guest.tenantId !== tenantId) throw unauthenticated('the guest is of another tenant');
  return guest;
}

/** A customer, and the provider's own tokens. */
export type SocialTokens = CustomerTokens & { readonly provided: Pick<ExchangedCode, 'accessToken' | 'idToken'> };

/** All three. */
export function createSsoGrants(deps: Deps): {
  sso: Grant<typeof returned, CustomerTokens | EmployeeTokens, 'none'>;
  /** For a client that has asked the provider on its own, and compared the state: a guest comes back with a code. */
  socialLogin: Grant<typeof shown, SocialTokens, 'none'>;
  tokenExchange: Grant<typeof exchanged, CustomerTokens | EmployeeTokens, 'none'>;
} {
  const { authorizations, codeExchange, customerSessions, database, employeeSessions } = deps;
  const { externalIdentities, groupsByClaim, identityProviders, subjectTokens, tenants, verifier } = deps;
  const arrivals = createRate({ limit: 600, windowSeconds: 60 });

  async function customerArrives(ctx: Ctx, arrival: Arrival): Promise<CustomerTokens> {
    const { provider, person, guest, legalEntityId, clientId = null, settle } = arrival;
    return customerSessions.begin(ctx, {
      tenant: tenants.get(ctx),
      guest,
      legalEntityId,
      clientId,
      async prove(tx) {
        await settle?.(tx);
        return externalIdentities.customer(tx, ctx, provider, person);
      },
    });
  }

  /** Who the employee is stands fast before the groups are seen to, and both before a token is made of them. */
  async function employeeArrives(ctx: Ctx, { provider, person, clientId, settle }: Arrival): Promise<EmployeeTokens> {
    const prove = (tx: TenantClient): Promise<Employee> => externalIdentities.employee(tx, ctx, provider, person);
    const { id } = await database.transaction(ctx, async (tx) => {
      await settle?.(tx);
      return prove(tx);
    });
    await groupsByClaim.settle(ctx, provider.id, id, person.groups);
    return employeeSessions.begin(ctx, tenants.get(ctx), prove, clientId);
  }

  /** Once more where another login of the same person was faster: what this one did has been undone. */
  async function enter(ctx: Ctx, arrival: Arrival): Promise<CustomerTokens | EmployeeTokens> {
    const arrives = async (): Promise<CustomerTokens | EmployeeTokens> =>
      arrival.userType === 'CUSTOMER' ? customerArrives(ctx, arrival) : employeeArrives(ctx, arrival);
    return arrives().catch((error: unknown) => {
      if (!isOvertaken(error)) throw error;
      return arrives();
    });
  }

  /** Providers are asked on behalf of strangers: by one address so often, and no more. @throws RATE_LIMITED */
  function brake({ ipAddress }: RequestContext): void {
    if (ipAddress !== null) arrivals.take(networkOf(ipAddress));
  }

  /** @throws INVALID_GRANT, told to the trail; ACCESS_DENIED, UNAUTHENTICATED, SERVICE_UNAVAILABLE */
  async function arrive(ctx: Ctx, providerId: string, work: () => Promise<Arrival>) {
    try {
      return await enter(ctx, await work());
    } catch (error) {
      if (error instanceof OAuthError && error.code === 'invalid_grant')
        await recordAudit(database.forTenant(ctx), ctx, {
          type: 'login.failed',
          outcome: 'refused',
          reason: String(error.cause instanceof Error ? error.cause.message : error.cause).slice(0, 200),
          subject: { kind: 'identity_provider', id: providerId },
        });
      throw error;
    }
  }

  async function requireProvider(ctx: Ctx, id: string, userType: Arrival['userType']): Promise<IdentityProvider> {
    const provider = await identityProviders.findFor(ctx, id, userType);
    if (!provider) throw refuse('no such provider, disabled, or not for people of this type');
    return provider;
  }

  return {
    sso: {
      grantType: extensionGrant('sso'),
      parameters: returned,
      client: 'none',
      async handle(request, { state, code, verifier: shown, iss = null, legalEntityId = null }) {
        const begun = await authorizations.take(request, state, shown);
        if (!tenants.find(begun.tenantId)) throw refuse('the tenant is suspended');
        const ctx = inTenant(request, begun.tenantId);
        const { userType } = begun;
        return arrive(ctx, begun.providerId, async () => {
          const provider = await requireProvider(ctx, begun.providerId, userType);
          const guest = begun.guest ?? (await guestAlong(verifier, request, begun.tenantId, null));
          if (guest && userType === 'CUSTOMER') await customerSessions.requireClaimable(ctx, guest);
          const { person } = await codeExchange.exchange(provider, begun, { code, state, iss });
          return { provider, userType, person, guest, legalEntityId };
        });
      },
    },

    socialLogin: {
      grantType: extensionGrant('social-login'),
      parameters: shown,
      client: 'none',
      async handle(request, { redirectUri, code, codeVerifier = null }) {
        brake(request);
        const guest = await guestOf(verifier, request, null);
        const ctx = inTenant(request, guest.tenantId);
        const provider = await identityProviders.returningTo(ctx, redirectUri);
        const asked = { redirectUri, nonce: null, pkceVerifier: codeVerifier, createdAt: new Date() };
        let exchanged: ExchangedCode | null = null;
        const tokens = await arrive(ctx, provider.id, async () => {
          await customerSessions.requireClaimable(ctx, guest);
          // The address is this provider's alone, so nobody else's code came back there: what `iss` would tell.
          exchanged = await codeExchange.exchange(provider, asked, { code, state: null, iss: provider.issuer });
          return { provider, userType: 'CUSTOMER', person: exchanged.person, guest, legalEntityId: null };
        });
        return { ...(tokens as CustomerTokens), provided: exchanged! };
      },
    },

    tokenExchange: {
      grantType: TOKEN_EXCHANGE,
      parameters: exchanged,
      client: 'none',
      async handle(request, { tenant, provider: id, userType, subjectToken, ...rest }) {
        brake(request);
        const { anonymousToken, legalEntityId = null, clientId } = rest;
        if (!tenants.find(tenant)) throw refuse('unknown tenant');
        const ctx = inTenant(request, tenant);
        const guest = await guestAlong(verifier, request, tenant, anonymousToken);
        const foreign = guest !== null && clientId !== undefined && guest.clientId !== clientId;
        return arrive(ctx, id, async () => {
          if (foreign) throw refuse('the guest is of another client');
          const provider = await requireProvider(ctx, id, userType);
          if (guest && userType === 'CUSTOMER') await customerSessions.requireClaimable(ctx, guest);
          const token = await subjectTokens.read(provider, subjectToken);
          const settle = (tx: TenantClient) => subjectTokens.use(tx, tenant, provider.id, token);
          const by = clientId === undefined ? {} : { clientId };
          return { provider, userType, person: token.person, guest, legalEntityId, settle, ...by };
        });
      },
    },
  };
}
