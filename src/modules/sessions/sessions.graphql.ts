// Sessions as the schema shows them: one's own, and for administrators everybody's.

import { builder } from '../../graphql/builder.ts';
import { connectionOf } from '../../graphql/pagination.ts';
import { authenticatedAs, requires } from '../../permissions/access.ts';
import { LegalEntityType } from '../companies/legal-entities.graphql.ts';
import { TokenKindEnum } from '../tokens/token-kind.graphql.ts';
import { SessionContextType } from './session-context.graphql.ts';
import { contextOfSession } from './session-context.ts';
import type { Session } from './sessions.ts';

/** Type `Session`. */
export const SessionType = builder.objectRef<Session>('Session').implement({
  description: 'A visit of a customer or an employee, over all the tokens that belong to it.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The `session_id` in tokens. A guest keeps it at login.' }),
    kind: t.field({ type: TokenKindEnum, description: 'CUSTOMER or EMPLOYEE.', resolve: (session) => session.kind }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the login was.' }),
    lastSeenAt: t.expose('lastSeenAt', { type: 'DateTime', description: 'When a token was last issued for it.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it ends unless a refresh extends it.' }),
    current: t.boolean({
      description: 'Is it the session of this very request?',
      resolve: ({ id }, _args, { principal }) =>
        principal !== null && 'sessionId' in principal && principal.sessionId === id,
    }),
    legalEntity: t.field({
      type: LegalEntityType,
      nullable: true,
      description: 'The company last acted for; null without one.',
      resolve: ({ tenantId, legalEntityId }, _args, ctx) =>
        legalEntityId === null ? null : ctx.services.legalEntities.find({ tenantId }, legalEntityId),
    }),
    userAgent: t.exposeString('userAgent', {
      nullable: true,
      description: 'What the browser or app called itself at login.',
    }),
    ipAddress: t.exposeString('ipAddress', {
      nullable: true,
      description: 'Where the login came from, where that can be told.',
    }),
    assisted: t.boolean({
      description: 'Does an employee act for the customer in it?',
      resolve: ({ actorId }) => actorId !== null,
    }),
    context: t.field({ type: SessionContextType, description: 'What the visit is about.', resolve: contextOfSession }),
  }),
});

/** Type `RevokePayload`. */
export const RevokePayload = builder.objectRef<{ revoked: boolean }>('RevokePayload').implement({
  description: 'What became of a revocation.',
  fields: (t) => ({
    revoked: t.exposeBoolean('revoked', {
      description: 'It is not good any more. True also for what never was (RFC 7009 s.2.2).',
    }),
  }),
});

/** Type `LogoutPayload`. */
export const LogoutPayload = builder.objectRef<{ sessionsEnded: number }>('LogoutPayload').implement({
  description: 'What a logout ended.',
  fields: (t) => ({ sessionsEnded: t.exposeInt('sessionsEnded', { description: 'How many open sessions.' }) }),
});

builder.queryFields((t) => ({
  mySessions: t.field({
    type: [SessionType],
    description: "The caller's open sessions, newest first.",
    access: authenticatedAs('customer', 'employee'),
    resolve: (_root, _args, ctx) => ctx.services.sessions.openOf(ctx, ctx.services.callers.owner(ctx)),
  }),
  sessions: t.connection(
    {
      type: SessionType,
      description: 'The open sessions of the tenant, newest first.',
      access: requires('oauth.session_read'),
      args: {
        customerId: t.arg.id({ description: 'Only those of this customer.' }),
        employeeId: t.arg.id({ description: 'Only those of this employee.' }),
      },
      resolve: (_root, { customerId, employeeId, ...args }, ctx) => {
        const filter = { ...(customerId ? { customerId } : {}), ...(employeeId ? { employeeId } : {}) };
        const { sessions } = ctx.services;
        return connectionOf<Session>(
          args,
          {
            list: 'sessions',
            keyOf: ({ createdAt, id }) => [createdAt.toISOString(), id],
            keyParts: 2,
            totalCount: () => sessions.count(ctx, filter),
          },
          (window) => sessions.page(ctx, filter, window),
        );
      },
    },
    { name: 'SessionConnection', description: 'A page of sessions.' },
    { name: 'SessionEdge', description: 'A session in a page.' },
  ),
}));

builder.mutationFields((t) => ({
  logout: t.field({
    type: LogoutPayload,
    description: 'Ends the session of this request: none of its tokens is good any more.',
    access: authenticatedAs('customer', 'employee'),
    resolve: async (_root, _args, ctx) => ({
      sessionsEnded: await ctx.services.sessions.logout(ctx, ctx.services.callers.sessionId(ctx)),
    }),
  }),
  logoutEverywhere: t.field({
    type: LogoutPayload,
    description: 'Ends every session of the caller, on every device.',
    access: authenticatedAs('customer', 'employee'),
    resolve: async (_root, _args, ctx) => ({
      sessionsEnded: await ctx.services.sessions.logoutEverywhere(ctx, ctx.services.callers.owner(ctx)),
    }),
  }),
  revokeSession: t.field({
    type: RevokePayload,
    description:
      "Ends one session: one's own, or with `oauth.session_manage` anybody's in the tenant. Errors: NOT_FOUND, also for a session of somebody else.",
    access: authenticatedAs('customer', 'employee', 'service'),
    args: { id: t.arg.id({ required: true, description: 'Which session.' }) },
    resolve: async (_root, { id }, ctx) => {
      const { callers, sessions } = ctx.services;
      await sessions.revoke(ctx, id, callers.holds(ctx, 'oauth.session_manage') ? null : callers.owner(ctx));
      return { revoked: true };
    },
  }),
}));
