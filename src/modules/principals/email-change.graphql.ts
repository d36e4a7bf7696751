// Signing in with another address from now on.

import { builder } from '../../graphql/builder.ts';
import { authenticatedAs, open } from '../../permissions/access.ts';
import { AcknowledgedPayload, acknowledge } from './acknowledged-payload.graphql.ts';

const RequestEmailChangeInput = builder.inputType('RequestEmailChangeInput', {
  description: 'The new address, and proof that it is the owner who asks.',
  fields: (t) => ({
    newEmail: t.string({ required: true, description: 'The address to sign in with from then on.' }),
    password: t.string({ required: true, description: 'The current password of the account.' }),
  }),
});

builder.mutationFields((t) => ({
  requestEmailChange: t.field({
    type: AcknowledgedPayload,
    description:
      'Sends a link to the new address of the calling customer and a notice to the old one. An address that has an account already is told by mail only. Errors: INVALID_GRANT, BAD_USER_INPUT, RATE_LIMITED, SERVICE_UNAVAILABLE.',
    access: authenticatedAs('customer'),
    args: { input: t.arg({ type: RequestEmailChangeInput, required: true, description: 'Address and password.' }) },
    resolve: (_root, { input }, ctx) => {
      ctx.services.callers.requireInPerson(ctx);
      return acknowledge(ctx.services.emailChange.request(ctx, input.newEmail, input.password));
    },
  }),
  confirmEmailChange: t.field({
    type: AcknowledgedPayload,
    description:
      'Changes the address by the link, which proves it. Every session of the customer ends, and every other link is void. Errors: INVALID_GRANT.',
    access: open,
    args: {
      token: t.arg.string({ required: true, description: 'The token of the link, good once and for an hour.' }),
    },
    resolve: (_root, { token }, ctx) => acknowledge(ctx.services.emailChange.confirm(ctx, token)),
  }),
}));
