// The tenant's signing keys.

import { builder } from '../../graphql/builder.ts';
import { requires } from '../../permissions/access.ts';

interface SigningKey {
  readonly id: string;
  readonly algorithm: string;
  readonly status: 'NEXT' | 'CURRENT' | 'RETIRED';
  readonly createdAt: Date;
  readonly retiresAt: Date | null;
}

const SigningKeyStatus = builder.enumType('SigningKeyStatus', {
  description: 'Where a key stands in its rotation.',
  values: {
    NEXT: { description: 'Published, not used: verifiers know it before it signs.' },
    CURRENT: { description: 'Signs.' },
    RETIRED: { description: 'Signs no more; published until its last token has expired.' },
  } as const,
});

const SigningKeyType = builder.objectRef<SigningKey>('SigningKey').implement({
  description: "A key pair that signs the tenant's tokens. Its private part never leaves the service.",
  fields: (t) => ({
    kid: t.exposeID('id', { description: 'Names the key in token headers and in the JWKS.' }),
    algorithm: t.exposeString('algorithm', { description: 'ES256 or EdDSA.' }),
    status: t.field({
      type: SigningKeyStatus,
      description: 'Next, current or retired.',
      resolve: ({ status }) => status,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    retiresAt: t.expose('retiresAt', { type: 'DateTime', nullable: true, description: 'When it leaves the JWKS.' }),
  }),
});

builder.queryField('signingKeys', (t) =>
  t.field({
    type: [SigningKeyType],
    description: 'All signing keys of the tenant, newest first.',
    access: requires('oauth.key_read'),
    resolve: (_root, _args, ctx) => ctx.services.signingKeys.list(ctx),
  }),
);

builder.mutationFields((t) => ({
  rotateSigningKey: t.field({
    type: SigningKeyType,
    description:
      'The next key signs from now on. Tokens of the one before stay good until they expire. Errors: CONFLICT.',
    access: requires('oauth.key_manage'),
    resolve: (_root, _args, ctx) => ctx.services.signingKeys.rotate(ctx),
  }),
  retireSigningKey: t.field({
    type: SigningKeyType,
    description: 'In an emergency: whatever this key signed is refused from now on. Errors: NOT_FOUND.',
    access: requires('oauth.key_manage'),
    args: {
      kid: t.arg.id({ required: true, description: 'Which key.' }),
      reason: t.arg.string({ required: true, description: 'Why; for the audit trail.' }),
    },
    resolve: (_root, { kid, reason }, ctx) => ctx.services.signingKeys.retire(ctx, kid, reason),
  }),
}));
