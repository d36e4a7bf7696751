// Access as code: a tenant's scopes, roles, access controls, templates and groups, written to a file, and brought to what
// a file says. By the use cases, so that an import does nothing that its caller may not, and is felt the same way.
// Invariant: an import is one change, whole or not at all, and made again it does nothing.

import type { Ctx } from '../../context.ts';
import type { Administer, Change } from '../administration/administration.ts';
import { recordAudit } from '../audit/audit.ts';
import { customEntry } from '../scopes/custom-scopes.ts';
import { accessAfter, type Difference, differencesBetween } from './access-as-code-differences.ts';
import { type Access, type AccessFile, parseAccessFile, refuse } from './access-as-code-file.ts';
import { type Intent, problemsIn, willHaveAdministrator } from './access-as-code-problems.ts';
import { readAccess, readFacts } from './access-as-code-reading.ts';
import { type AccessUseCases, stepsOf, take, takeMembers } from './access-as-code-steps.ts';
import { type Consequences, lastAdministrator } from './consequences.ts';
import type { EntitlementsOf } from './entitlements.ts';

/** How to import. */
export interface ImportOptions {
  /** Delete what the file's sections do not have. */
  readonly prune?: boolean;
  /** Only say what would be done. */
  readonly dryRun?: boolean;
}

/** Use cases of access as code. */
export function createAccessAsCode(
  deps: AccessUseCases & { administer: Administer; consequences: Consequences; entitlements: EntitlementsOf },
) {
  const { administer, consequences, entitlements, scopes } = deps;

  /** What is to be done. @throws BAD_USER_INPUT telling all that is wrong, CONFLICT `LAST_ADMINISTRATOR` */
  async function plan({ tx, tenantId }: Change, file: AccessFile, prune: boolean): Promise<Intent> {
    const current = await readAccess(tx);
    const facts = await readFacts(tx, current, file);
    const differences = differencesBetween(current, file, prune);
    const after = accessAfter(current, differences);
    const customScopes = new Map(
      [...after.customScopes].map(([id, { description }]) => [id, customEntry({ id, description })]),
    );
    const intent = { file, differences, after, facts, scopesAfter: { tenantId, customScopes } };
    refuse(problemsIn(intent, scopes));
    if (!willHaveAdministrator(intent) && (await entitlements.haveAdministrator(tx, tenantId)))
      throw lastAdministrator();
    return intent;
  }

  async function apply(change: Change, { differences, facts }: Intent): Promise<void> {
    const steps = stepsOf(change, deps);
    const ofScopes = differences.filter(({ kind }) => kind === 'customScopes');
    const others = differences.filter(({ kind }) => kind !== 'customScopes');
    const wanted = others.filter(({ after }) => after);
    const unwanted = others.filter(({ after }) => !after);
    const groups = wanted.filter(({ kind }) => kind === 'groups');
    for (const difference of wanted) await take(steps, difference);
    for (const group of groups) await takeMembers(change, deps, group, 'leaving', facts.employees);
    for (const difference of unwanted.toReversed()) await take(steps, difference);
    // Nobody joins before everybody has left: a token has room for so many groups only.
    for (const group of groups) await takeMembers(change, deps, group, 'joining', facts.employees);
    // Last, for from here to the commit nobody else defines a scope: all tenants share the counter that tells of them.
    for (const difference of ofScopes) await take(steps, difference);
  }

  return {
    /** All that the tenant has of its own, in the shape of a file and in an order that stays. */
    export: (ctx: Ctx): Promise<Access> => administer(ctx, ({ tx }) => readAccess(tx)),

    /**
     * Brings the tenant to what the file says. @returns what was different, or with `dryRun` is
     * @throws BAD_USER_INPUT telling all that is wrong with the file, CONFLICT `LAST_ADMINISTRATOR`, and what the use
     * cases throw, with the place in the file
     */
    async import(
      ctx: Ctx,
      content: unknown,
      { prune = false, dryRun = false }: ImportOptions = {},
    ): Promise<readonly Difference[]> {
      const file = parseAccessFile(content);
      return administer(ctx, async (change) => {
        const intent = await plan(change, file, prune);
        const { after, differences, scopesAfter } = intent;
        if (dryRun || differences.length === 0) return differences;
        const added = new Set(differences.filter(({ before }) => !before).map(({ kind, id }) => `${kind} ${id}`));
        const groupIds = [...after.groups.keys()].filter((id) => !added.has(`groups ${id}`));
        // With the scopes that there will be: the use cases read them off the change.
        await consequences.together(change, groupIds, 'iam.imported', (part) =>
          apply({ ...part, ...scopesAfter }, intent),
        );
        const deleted = differences.filter((difference) => !difference.after).length;
        await recordAudit(change.tx, change, {
          type: 'iam.imported',
          subject: { kind: 'tenant', id: ctx.tenantId },
          details: { added: added.size, changed: differences.length - added.size - deleted, deleted },
        });
        return differences;
      });
    },
  };
}

/** See `createAccessAsCode`. */
export type AccessAsCode = ReturnType<typeof createAccessAsCode>;
