// The audit trail as the schema shows it. Ids only: what they name may be gone, and leads on by its own fields.

import { builder } from '../../graphql/builder.ts';
import { connectionOf } from '../../graphql/pagination.ts';
import { requires } from '../../permissions/access.ts';
import { type AuditEvent, auditEventKey } from './audit-events.ts';
import { auditEventTypes } from './events.ts';

const AuditOutcome = builder.enumType('AuditOutcome', {
  description: 'What became of it.',
  values: {
    SUCCESS: { value: 'success', description: 'It was done.' },
    REFUSED: { value: 'refused', description: 'It was tried and refused.' },
  } as const,
});

/** Type `AuditEvent`. */
export const AuditEventType = builder.objectRef<AuditEvent>('AuditEvent').implement({
  description:
    'Something security-relevant that happened. Written together with the change that it tells of, never altered, and never with a secret.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the event.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it happened.' }),
    type: t.exposeString('type', {
      description: 'What happened, as `what.happened`: see the argument of `auditEvents`.',
    }),
    outcome: t.field({
      type: AuditOutcome,
      description: 'Was it done, or refused?',
      resolve: ({ outcome }) => (outcome === 'refused' ? 'refused' : 'success'),
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'Why it was refused, ended or done. More than the caller was told.',
    }),
    actor: t.expose('actor', {
      type: 'JSON',
      description:
        'Who did it: `{ kind, id, onBehalfOf? }`. `kind` is client, employee, customer, anonymous (`id`: the session), operator (command line and maintenance, no `id`) or nobody (no valid token, no `id`). `onBehalfOf`: the customer that an employee acted for.',
    }),
    subject: t.expose('subject', {
      type: 'JSON',
      nullable: true,
      description:
        'Whom or what it is about: `{ kind, id }`, such as customer, group, session; null where nothing is known.',
    }),
    legalEntityId: t.exposeID('legalEntityId', {
      nullable: true,
      description: 'The company that it concerns, if any.',
    }),
    requestId: t.exposeString('requestId', {
      description: 'The `X-Request-Id` of the answer, and in the log. A word instead where there was no request.',
    }),
    ipAddress: t.exposeString('ipAddress', {
      nullable: true,
      description: 'Where the request came from; null where that cannot be told.',
    }),
    details: t.expose('details', {
      type: 'JSON',
      description: 'What else there is to say; of a change `before` and `after`, of what it touched.',
    }),
  }),
});

builder.queryField('auditEvents', (t) =>
  t.connection(
    {
      type: AuditEventType,
      description:
        'The audit trail of the tenant, newest first. Filters are combined; ids that name nothing find nothing.',
      access: requires('audit.event_read'),
      args: {
        type: t.arg.string({ description: `Only of this type. There are: ${auditEventTypes.join(', ')}.` }),
        actorId: t.arg.id({
          description:
            'Only what this client, employee, customer or guest (by session) did. What an employee does for a customer is the employee’s.',
        }),
        subjectId: t.arg.id({ description: 'Only what is about this.' }),
        from: t.arg({ type: 'DateTime', description: 'Only at this moment or later.' }),
        to: t.arg({ type: 'DateTime', description: 'Only before this moment.' }),
      },
      resolve: (_root, args, ctx) => {
        const { page, count } = ctx.services.auditEvents.list(ctx, args);
        return connectionOf(args, { list: 'audit', keyOf: auditEventKey, keyParts: 2, totalCount: count }, page);
      },
    },
    { name: 'AuditEventConnection', description: 'A page of the audit trail.' },
    { name: 'AuditEventEdge', description: 'An event in a page.' },
  ),
);
