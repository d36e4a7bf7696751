// What every tenant finds ready: predefined access controls and roles.

import type { Ctx } from '../../context.ts';
import type { Administer } from '../administration/administration.ts';
import { EVERY_SCOPE_ID, predefinedAccessControls, predefinedRoles } from './predefined.ts';

/** Makes what is missing of them. */
export function createIamSetUp({ administer }: { administer: Administer }) {
  return {
    /** Idempotent: what is there stays as it is. */
    ensurePredefined: (ctx: Ctx): Promise<void> =>
      administer(ctx, async ({ tx, tenantId }) => {
        const predefined = true;
        await tx.role.createMany({
          data: predefinedRoles.map(({ id, name, actions }) => ({
            tenantId,
            id,
            name,
            actions: [...actions],
            predefined,
          })),
          skipDuplicates: true,
        });
        const restrictedTo = 'EMPLOYEE' as const;
        const everything = { id: EVERY_SCOPE_ID, name: 'EVERY_SCOPE', scopes: [], everyScope: true, restrictedTo };
        const named = predefinedAccessControls.map((control) => ({ ...control, scopes: [...control.scopes] }));
        await tx.accessControl.createMany({
          data: [everything, ...named].map((control) => ({ tenantId, ...control, predefined })),
          skipDuplicates: true,
        });
      }),
  };
}

/** See `createIamSetUp`. */
export type IamSetUp = ReturnType<typeof createIamSetUp>;
