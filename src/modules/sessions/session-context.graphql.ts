// What a session is about.

import { builder } from '../../graphql/builder.ts';
import { authenticatedAs } from '../../permissions/access.ts';
import type { SessionContext } from './session-context.ts';

/** Type `SessionContext`. */
export const SessionContextType = builder.objectRef<SessionContext>('SessionContext').implement({
  description: 'What a visit is about: where, in which money and language, and what the storefront notes.',
  fields: (t) => ({
    siteCode: t.exposeString('siteCode', { nullable: true, description: 'The site.' }),
    currency: t.exposeString('currency', { nullable: true, description: 'ISO 4217 code.' }),
    language: t.exposeString('language', { nullable: true, description: 'BCP 47 tag.' }),
    targetLocation: t.exposeString('targetLocation', {
      nullable: true,
      description: 'Where goods go: a country code, say.',
    }),
    attributes: t.field({
      type: 'JSON',
      description: 'What the storefront notes. Mere data: nothing in it grants anything.',
      resolve: (context) => context.attributes,
    }),
    version: t.exposeInt('version', {
      description: 'Send it back with a change. 0: a guest, whose context stands in the token.',
    }),
  }),
});

const UpdateSessionContextInput = builder.inputType('UpdateSessionContextInput', {
  description: "A change of the caller's own session. What is absent stays as it is.",
  fields: (t) => ({
    version: t.int({ required: true, description: 'The one last read.' }),
    siteCode: t.string({ description: 'The site.' }),
    currency: t.string({ description: 'ISO 4217 code.' }),
    language: t.string({ description: 'BCP 47 tag.' }),
    targetLocation: t.string({ description: 'Where goods go.' }),
    attributes: t.field({ type: 'JSON', description: 'Keys to set; null removes one. 2 KB in all.' }),
  }),
});

builder.mutationField('updateSessionContext', (t) =>
  t.field({
    type: SessionContextType,
    description:
      "Changes the context of the calling customer's session. Errors: CONFLICT `STALE_VERSION`, BAD_USER_INPUT.",
    access: authenticatedAs('customer'),
    args: { input: t.arg({ type: UpdateSessionContextInput, required: true, description: 'The change.' }) },
    resolve: (_root, { input: { version, ...change } }, ctx) =>
      ctx.services.sessionContexts.update(ctx, version, change),
  }),
);
