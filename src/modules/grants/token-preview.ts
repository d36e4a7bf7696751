// What an access token would carry, and through what: for explaining access. None is issued and nothing is written.
// Invariants: the caller's own is the token that was presented; anybody else's is what a token issued now would be,
// by the same rules, for those who may read who gets what; unknown and foreign are one NOT_FOUND.

import type { Ctx } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { badInput, forbidden, notFound } from '../../errors/domain-error.ts';
import type { Clients } from '../clients/clients.ts';
import type { ContactAssignments } from '../companies/contact-assignments.ts';
import type { EntitlementSources, Holding } from '../iam/entitlement-sources.ts';
import type { PrincipalKind } from '../principals/principal.ts';
import { satisfies } from '../scopes/matching.ts';
import type { BuiltInScope } from '../scopes/registry.ts';

/** For whom a token would speak, and what it would carry. */
export interface TokenPreview extends Holding {
  /** Null: nobody is calling. */
  readonly kind: PrincipalKind | null;
  /** False: disabled, or a client without any scope. */
  readonly mayHaveToken: boolean;
}

interface Named {
  kind: 'employee' | 'customer' | 'client';
  enabled: boolean;
}

const READ: BuiltInScope = 'iam.access_read';
const noToken = { mayHaveToken: false, scopes: [], sources: [] } as const;

/** Previews of tokens. */
export function createTokenPreviews(deps: {
  clients: Clients;
  contactAssignments: ContactAssignments;
  database: Database;
  entitlementSources: EntitlementSources;
}) {
  const { clients, contactAssignments, database, entitlementSources } = deps;

  /** `id`, or `employee:id`, `customer:id`, `client:id`: no id of any kind has a colon. */
  async function find(ctx: Ctx, principal: string): Promise<Named & { id: string }> {
    const { prefix, id } = /^(?<prefix>employee:|customer:|client:)?(?<id>.*)$/s.exec(principal)!.groups!;
    const { tenantId } = ctx;
    const all = await database.forTenant(ctx).$queryRaw<Named[]>`
      SELECT 'employee' AS kind, enabled FROM employees WHERE tenant_id = ${tenantId} AND id = ${id}
      UNION ALL SELECT 'customer', enabled FROM customers WHERE tenant_id = ${tenantId} AND id = ${id}
      UNION ALL SELECT 'client', enabled FROM clients WHERE tenant_id = ${tenantId} AND id = ${id}`;
    const [named, another] = prefix ? all.filter(({ kind }) => prefix === `${kind}:`) : all;
    if (!named) throw notFound('Principal');
    if (another) {
      const spellings = all.map(({ kind }) => `${kind}:${id}`).join(' or ');
      throw badInput('principal', `Several principals have this id. Write ${spellings}.`);
    }
    return { ...named, id: id! };
  }

  async function ofClient(ctx: Ctx, id: string, enabled: boolean): Promise<TokenPreview> {
    const client = await clients.get(ctx, id);
    const isStorefront = client.kind === 'STOREFRONT';
    const kind = isStorefront ? 'anonymous' : 'service';
    const holding = isStorefront ? entitlementSources.ofGuest(ctx.tenantId) : await entitlementSources.ofClient(client);
    // A service token without scopes is refused (client-credentials.ts).
    const mayHaveToken = enabled && (isStorefront || holding.scopes.length > 0);
    return mayHaveToken ? { kind, mayHaveToken, ...holding } : { kind, ...noToken };
  }

  async function sourcesOfCaller({ tenantId, principal }: Ctx): Promise<Holding['sources']> {
    const db = database.forTenant({ tenantId });
    switch (principal?.kind) {
      case undefined:
        return [];
      case 'service':
        return (await entitlementSources.ofClient(await clients.get({ tenantId }, principal.clientId))).sources;
      case 'employee':
        return (await entitlementSources.ofEmployee(db, tenantId, principal.employeeId)).sources;
      case 'anonymous':
        return entitlementSources.ofGuest(tenantId).sources;
      case 'customer': {
        const { customerId, legalEntityId } = principal;
        return (await entitlementSources.ofCustomer(db, tenantId, customerId, legalEntityId)).sources;
      }
    }
  }

  return {
    /** The token of this request. */
    async ofCaller(ctx: Ctx): Promise<TokenPreview> {
      const { principal } = ctx;
      if (!principal) return { kind: null, ...noToken };
      const { kind, scopes } = principal;
      return { kind, mayHaveToken: true, scopes, sources: await sourcesOfCaller(ctx) };
    },

    /**
     * A token for an employee, customer or client of the tenant; of a storefront, for its guests.
     * @throws FORBIDDEN without `iam.access_read`, NOT_FOUND, BAD_USER_INPUT, ACCESS_DENIED for a company that is not
     * the customer's
     */
    async ofPrincipal(ctx: Ctx, principal: string, legalEntityId: string | null): Promise<TokenPreview> {
      const isAllowed = ctx.credential === 'operator' || satisfies(ctx.principal?.scopes ?? [], READ);
      if (!isAllowed) throw forbidden([[READ]], [READ]);
      const { kind, id, enabled } = await find(ctx, principal);
      if (legalEntityId !== null && kind !== 'customer') {
        throw badInput('legalEntityId', 'Only a customer acts for a company.');
      }
      if (kind === 'client') return ofClient(ctx, id, enabled);
      const db = database.forTenant(ctx);
      if (legalEntityId !== null) await contactAssignments.requireAssigned(db, id, legalEntityId);
      if (!enabled) return { kind, ...noToken };
      const holding =
        kind === 'employee'
          ? await entitlementSources.ofEmployee(db, ctx.tenantId, id)
          : await entitlementSources.ofCustomer(db, ctx.tenantId, id, legalEntityId);
      return { kind, mayHaveToken: true, ...holding };
    },
  };
}

/** See `createTokenPreviews`. */
export type TokenPreviews = ReturnType<typeof createTokenPreviews>;
