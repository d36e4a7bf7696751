// A new password for whoever has forgotten the old one.

import { builder } from '../../graphql/builder.ts';
import { open } from '../../permissions/access.ts';
import { UserTypeEnum } from '../iam/user-type.graphql.ts';
import { AcknowledgedPayload, acknowledge } from './acknowledged-payload.graphql.ts';

const RequestPasswordResetInput = builder.inputType('RequestPasswordResetInput', {
  description: 'Whose password has been forgotten.',
  fields: (t) => ({
    tenant: t.string({ required: true, description: 'The slug of the tenant.' }),
    userType: t.field({ type: UserTypeEnum, required: true, description: 'A customer or an employee.' }),
    email: t.string({ required: true, description: 'The address that the account signs in with.' }),
  }),
});

const ResetPasswordInput = builder.inputType('ResetPasswordInput', {
  description: 'The link and the new password.',
  fields: (t) => ({
    token: t.string({ required: true, description: 'The token of the link, good once and for 30 minutes.' }),
    newPassword: t.string({
      required: true,
      description: '10 to 256 characters, any of them, and not one that attackers try first.',
    }),
  }),
});

builder.mutationFields((t) => ({
  requestPasswordReset: t.field({
    type: AcknowledgedPayload,
    description:
      'Sends a link to the owner of the address, if there is an account; the answer is the same if there is none. Errors: BAD_USER_INPUT, RATE_LIMITED, SERVICE_UNAVAILABLE.',
    access: open,
    args: { input: t.arg({ type: RequestPasswordResetInput, required: true, description: 'The account.' }) },
    resolve: (_root, { input }, ctx) => acknowledge(ctx.services.passwordReset.request(ctx, input)),
  }),
  resetPassword: t.field({
    type: AcknowledgedPayload,
    description:
      'Sets a new password by the link: it proves the address, ends every session and voids every other link. Errors: INVALID_GRANT, BAD_USER_INPUT.',
    access: open,
    args: { input: t.arg({ type: ResetPasswordInput, required: true, description: 'Link and password.' }) },
    resolve: (_root, { input }, ctx) =>
      acknowledge(ctx.services.passwordReset.reset(ctx, input.token, input.newPassword)),
  }),
}));
