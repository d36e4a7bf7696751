// Who the caller is, for use cases that concern the caller's own things.

import type { Ctx } from '../../context.ts';
import { forbidden, notFound, unauthenticated } from '../../errors/domain-error.ts';
import { satisfies } from '../scopes/matching.ts';
import type { BuiltInScope } from '../scopes/registry.ts';
import type { SessionOwner } from '../sessions/sessions.ts';
import type { Principal } from './principal.ts';

/** Whom a token is about: its `sub`. */
export function subjectOf(principal: Principal): string {
  switch (principal.kind) {
    case 'service':
      return principal.clientId;
    case 'employee':
      return principal.employeeId;
    case 'anonymous':
      return principal.sessionId;
    case 'customer':
      return principal.customerId;
  }
}

/** Questions about the caller. No I/O. */
export const callers = {
  /** Does the caller's token carry the scope? An operator needs none. */
  holds: (ctx: Ctx, scope: BuiltInScope): boolean =>
    ctx.credential === 'operator' || satisfies(ctx.principal?.scopes ?? [], scope),

  /** Who is calling. @throws UNAUTHENTICATED */
  require({ principal }: Ctx): Principal {
    if (!principal) throw unauthenticated();
    return principal;
  },

  /** The company that the caller acts for: what `_own` means in administration. Null: none, so nothing is theirs. */
  company: (ctx: Ctx): string | null => (ctx.principal?.kind === 'customer' ? ctx.principal.legalEntityId : null),

  /** The caller as the owner of sessions. @throws NOT_FOUND for clients and guests, who own none; FORBIDDEN for an
   * employee who acts for the owner */
  owner(ctx: Ctx): SessionOwner {
    callers.requireInPerson(ctx);
    const { principal } = ctx;
    if (principal?.kind === 'customer') return { kind: 'customer', id: principal.customerId };
    if (principal?.kind === 'employee') return { kind: 'employee', id: principal.employeeId };
    throw notFound('Session');
  },

  /** Refuses an employee who acts for a customer: the account is the customer's own business. @throws FORBIDDEN */
  requireInPerson(ctx: Ctx): void {
    if (ctx.principal?.kind === 'customer' && ctx.principal.actorId !== null) throw forbidden([], []);
  },

  /** The session of this request. @throws FORBIDDEN for clients, who have none */
  sessionId(ctx: Ctx): string {
    if (ctx.principal && 'sessionId' in ctx.principal) return ctx.principal.sessionId;
    throw forbidden([], []);
  },
};

/** See `callers`. */
export type Callers = typeof callers;
