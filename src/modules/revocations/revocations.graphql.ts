// What services that verify tokens themselves follow.

import { builder } from '../../graphql/builder.ts';
import { requires } from '../../permissions/access.ts';
import type { Revocation } from './revocations.ts';

const RevocationKindEnum = builder.enumType('RevocationKind', {
  description: 'What is revoked.',
  values: {
    TOKEN: { description: 'One token; the key is its `jti`.' },
    SESSION: { description: 'All tokens of a session; the key is its `session_id`.' },
    PRINCIPAL: { description: 'All tokens of a person; the key is `customer:` or `employee:` and the `sub`.' },
    CLIENT: { description: 'All tokens given to a client; the key is its `client_id`.' },
    LEGAL_ENTITY_MEMBERSHIP: {
      description: 'All tokens for a company; the key is its id, with `:` and a `sub` for one customer.',
    },
    GROUP: { description: 'All tokens with scopes from a group; the key stands among their `groups`.' },
    TENANT: { description: 'All tokens of the tenant.' },
  } as const,
});

const RevocationType = builder.objectRef<Revocation>('Revocation').implement({
  description: 'Tokens that answer to `key` and whose `rev` is below `sequence` are refused.',
  fields: (t) => ({
    sequence: t.exposeInt('sequence', { description: 'Its number. Ascending, in the order of the commits.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
    kind: t.field({ type: RevocationKindEnum, description: 'What `key` names.', resolve: ({ kind }) => kind }),
    key: t.exposeID('key', { description: 'Which one.' }),
    reason: t.exposeString('reason', { description: 'Why, for people.' }),
  }),
});

builder.queryField('latestRevocation', (t) =>
  t.field({
    type: 'Int',
    description:
      'The `sequence` of the last revocation, as the database has it now; 0 when none is kept. Who follows `revocations` and has received it has missed nothing.',
    access: requires('oauth.revocation_read'),
    resolve: (_root, _args, ctx) => ctx.services.revocations.latestOf(ctx),
  }),
);

builder.subscriptionField('revocations', (t) =>
  t.field({
    type: RevocationType,
    description:
      'What services that verify tokens themselves follow: everything revoked after `after`, in order, none twice. Errors: CONFLICT `REVOCATIONS_PRUNED` when so old ones are no longer kept (`after`: where to start over from, for no living token needs them), RATE_LIMITED for too many streams of one client.',
    access: requires('oauth.revocation_read'),
    args: {
      after: t.arg.int({ description: 'The last sequence number received. Absent: only what comes from now on.' }),
    },
    subscribe: (_root, { after }, ctx) => ctx.services.revocations.follow(ctx, after ?? null),
    resolve: (revocation) => revocation as Revocation,
  }),
);
