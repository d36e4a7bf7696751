// Changing one's own password.

import { builder } from '../../graphql/builder.ts';
import { authenticatedAs } from '../../permissions/access.ts';
import { LogoutPayload } from '../sessions/sessions.graphql.ts';

const ChangePasswordInput = builder.inputType('ChangePasswordInput', {
  description: 'The old password and the new.',
  fields: (t) => ({
    currentPassword: t.string({ required: true, description: 'Proves that it is the owner who asks.' }),
    newPassword: t.string({
      required: true,
      description: '10 to 256 characters, any of them, and not one that attackers try first.',
    }),
  }),
});

builder.mutationField('changePassword', (t) =>
  t.field({
    type: LogoutPayload,
    description:
      'Changes the password of the calling customer or employee and ends their other sessions. Errors: INVALID_GRANT, BAD_USER_INPUT, RATE_LIMITED.',
    access: authenticatedAs('customer', 'employee'),
    args: { input: t.arg({ type: ChangePasswordInput, required: true, description: 'Old and new.' }) },
    resolve: async (_root, { input }, ctx) => {
      ctx.services.callers.requireInPerson(ctx);
      const { currentPassword, newPassword } = input;
      return { sessionsEnded: await ctx.services.passwordChange.change(ctx, currentPassword, newPassword) };
    },
  }),
);
