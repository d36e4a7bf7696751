// Who is calling. What is shown here of the caller needs no scope, and leads no further.

import { builder } from '../../graphql/builder.ts';
import { open } from '../../permissions/access.ts';
import { ClientType } from '../clients/clients.graphql.ts';
import { LegalEntityType } from '../companies/legal-entities.graphql.ts';
import { SessionContextType } from '../sessions/session-context.graphql.ts';
import { SessionType } from '../sessions/sessions.graphql.ts';
import { TenantType } from '../tenants/tenants.graphql.ts';
import { TokenKindEnum } from '../tokens/token-kind.graphql.ts';
import { subjectOf } from './callers.ts';
import { CustomerType } from './customers.graphql.ts';
import { EmployeeType } from './employees.graphql.ts';
import type {
  AnonymousPrincipal,
  CustomerPrincipal,
  EmployeePrincipal,
  Principal,
  PrincipalKind,
  ServicePrincipal,
} from './principal.ts';

const kinds = {
  service: 'SERVICE',
  employee: 'EMPLOYEE',
  anonymous: 'ANONYMOUS',
  customer: 'CUSTOMER',
} as const satisfies Record<PrincipalKind, string>;

const PrincipalType = builder.interfaceRef<Principal>('Principal').implement({
  description: 'Whoever holds the access token of this request.',
  resolveType: (principal) => `${kinds[principal.kind][0]}${kinds[principal.kind].slice(1).toLowerCase()}Principal`,
  fields: (t) => ({
    id: t.id({ description: 'The `sub` of the token.', resolve: (principal) => subjectOf(principal) }),
    kind: t.field({
      type: TokenKindEnum,
      description: 'What the token stands for.',
      resolve: ({ kind }) => kinds[kind],
    }),
    tenant: t.field({
      type: TenantType,
      description: 'Where the token is good.',
      resolve: (_principal, _args, ctx) => ctx.services.tenants.get(ctx),
    }),
    scopes: t.stringList({ description: 'What the token allows, sorted.', resolve: ({ scopes }) => [...scopes] }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When the token ends.',
      resolve: ({ expiresAt }) => new Date(expiresAt * 1000),
    }),
  }),
});

builder.objectRef<ServicePrincipal>('ServicePrincipal').implement({
  description: 'A client acting for itself.',
  interfaces: [PrincipalType],
  fields: (t) => ({
    client: t.field({
      type: ClientType,
      description: 'The client.',
      resolve: ({ clientId }, _args, ctx) => ctx.services.clients.get(ctx, clientId),
    }),
  }),
});

builder.objectRef<EmployeePrincipal>('EmployeePrincipal').implement({
  description: 'An employee.',
  interfaces: [PrincipalType],
  fields: (t) => ({
    employee: t.field({
      type: EmployeeType,
      description: 'The employee.',
      resolve: ({ employeeId }, _args, ctx) => ctx.services.employees.get(ctx, employeeId),
    }),
    session: t.field({
      type: SessionType,
      description: 'The visit that the token belongs to.',
      resolve: ({ sessionId }, _args, ctx) => ctx.services.sessions.get(ctx, sessionId),
    }),
  }),
});

builder.objectRef<AnonymousPrincipal>('AnonymousPrincipal').implement({
  description: 'A guest: a visit, and nothing that is stored.',
  interfaces: [PrincipalType],
  fields: (t) => ({
    sessionId: t.exposeID('sessionId', { description: 'The `session_id`, which stays when the guest signs in.' }),
    context: t.field({
      type: SessionContextType,
      description: 'What the visit is about.',
      resolve: (guest, _args, ctx) => ctx.services.sessionContexts.ofGuest(ctx, guest),
    }),
  }),
});

builder.objectRef<CustomerPrincipal>('CustomerPrincipal').implement({
  description: 'A customer, perhaps acting for a company.',
  interfaces: [PrincipalType],
  fields: (t) => ({
    customer: t.field({
      type: CustomerType,
      description: 'The customer.',
      resolve: ({ customerId }, _args, ctx) => ctx.services.customers.get(ctx, customerId),
    }),
    session: t.field({
      type: SessionType,
      description: 'The visit that the token belongs to.',
      resolve: ({ sessionId }, _args, ctx) => ctx.services.sessions.get(ctx, sessionId),
    }),
    legalEntity: t.field({
      type: LegalEntityType,
      nullable: true,
      description: 'The company that the token acts for; null: the customer acts for themself.',
      resolve: ({ legalEntityId }, _args, ctx) =>
        legalEntityId === null ? null : ctx.services.legalEntities.find(ctx, legalEntityId),
    }),
    legalEntities: t.field({
      type: [LegalEntityType],
      description: 'The companies that this customer may act for: what a company picker shows.',
      resolve: async ({ customerId }, _args, ctx) =>
        (await ctx.services.contactAssignments.openTo(ctx, customerId)).map(({ legalEntity }) => legalEntity),
    }),
    actor: t.field({
      type: EmployeeType,
      nullable: true,
      description: 'Set when an employee acts for the customer.',
      resolve: ({ actorId }, _args, ctx) => (actorId === null ? null : ctx.services.employees.get(ctx, actorId)),
    }),
  }),
});

builder.queryField('currentPrincipal', (t) =>
  t.field({
    type: PrincipalType,
    nullable: true,
    description: 'Who is calling; null without a valid token.',
    access: open,
    resolve: (_root, _args, ctx) => ctx.principal,
  }),
);
