// Templates: bundles of access controls, given to a group as one.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { keyset, type List } from '../../database/keyset.ts';
import { badInput, notFound } from '../../errors/domain-error.ts';
import type { Administer, Change } from '../administration/administration.ts';
import { requireName } from '../administration/editing.ts';
import { recordAudit } from '../audit/audit.ts';
import { requireHeld } from '../scopes/delegation.ts';
import type { AccessControls } from './access-controls.ts';
import type { Consequences } from './consequences.ts';

/** A template as it is stored. */
export type Template = Awaited<ReturnType<TenantClient['accessControlTemplate']['findFirstOrThrow']>>;

/** What one is made from. */
export interface NewTemplate {
  readonly id?: string;
  readonly name: string;
  readonly accessControlIds: readonly string[];
}

/** What can be changed of one. */
export interface TemplateChange {
  readonly name?: string | null | undefined;
  /** All that it bundles from then on. */
  readonly accessControlIds?: readonly string[] | null | undefined;
}

/** Use cases of templates. */
export function createTemplates(deps: {
  accessControls: AccessControls;
  administer: Administer;
  consequences: Consequences;
  database: Database;
}) {
  const { accessControls, administer, consequences, database } = deps;
  const byId = (ctx: { tenantId: string }, id: string) => ({ tenantId_id: { tenantId: ctx.tenantId, id } });

  function requireSome(accessControlIds: readonly string[]): string[] {
    if (accessControlIds.length === 0) throw badInput('input.accessControlIds', 'A template bundles at least one.');
    return [...new Set(accessControlIds)].sort();
  }

  /** One after the other: a transaction has one connection. @throws NOT_FOUND */
  async function requireOne({ tx }: Change, ctx: Ctx, id: string) {
    const template = await tx.accessControlTemplate.findUnique({ where: byId(ctx, id) });
    if (!template) throw notFound('Template');
    const groups = await tx.groupTemplate.findMany({ where: { templateId: id } });
    const controls = await tx.templateAccessControl.findMany({ where: { templateId: id } });
    return {
      name: template.name,
      groupIds: groups.map(({ groupId }) => groupId),
      accessControlIds: controls.map(({ accessControlId }) => accessControlId).sort(),
    };
  }

  return {
    /** All templates, by name. */
    list(ctx: Ctx): List<Template> {
      const { accessControlTemplate } = database.forTenant(ctx);
      return {
        page: (window) => accessControlTemplate.findMany(keyset(window, ['name', 'id'])),
        count: () => accessControlTemplate.count(),
      };
    },

    /** Makes one, which no group has yet. @throws BAD_USER_INPUT, FORBIDDEN for scopes that the caller lacks */
    create(ctx: Ctx, input: NewTemplate): Promise<Template> {
      const name = requireName(input.name);
      if (input.accessControlIds.length === 0)
        throw badInput('input.accessControlIds', 'A template bundles at least one.');
      return administer(ctx, async (change) => {
        const { tx, tenantId } = change;
        const controls = await accessControls.requireAll(change, input.accessControlIds, 'input.accessControlIds');
        const accessControlIds = controls.map((control) => control.id).sort();
        requireHeld(change, controls.flatMap(accessControls.scopesOf));
        const { id } = input;
        const template = await tx.accessControlTemplate.create({ data: { tenantId, ...(id ? { id } : {}), name } });
        await tx.templateAccessControl.createMany({
          data: accessControlIds.map((accessControlId) => ({ tenantId, templateId: template.id, accessControlId })),
        });
        await recordAudit(tx, change, {
          type: 'template.created',
          subject: { kind: 'access_control_template', id: template.id },
          details: { after: { name, accessControlIds } },
        });
        return template;
      });
    },

    /** Changes one, for every group that has it. @throws NOT_FOUND, BAD_USER_INPUT, CONFLICT `LAST_ADMINISTRATOR`,
     * FORBIDDEN for scopes that the caller lacks */
    update(ctx: Ctx, id: string, input: TemplateChange): Promise<Template> {
      const name = input.name == null ? undefined : requireName(input.name);
      const wanted = input.accessControlIds == null ? undefined : requireSome(input.accessControlIds);
      return administer(ctx, async (change) => {
        const { tx, tenantId } = change;
        const { name: oldName, groupIds, accessControlIds: had } = await requireOne(change, ctx, id);
        const controls = await accessControls.requireAll(change, wanted ?? [], 'input.accessControlIds');
        const added = controls.filter((control) => !had.includes(control.id));
        requireHeld(change, added.flatMap(accessControls.scopesOf));
        const template = await consequences.changingGroups(change, groupIds, 'template.updated', async () => {
          if (wanted) {
            await tx.templateAccessControl.deleteMany({ where: { templateId: id } });
            await tx.templateAccessControl.createMany({
              data: wanted.map((accessControlId) => ({ tenantId, templateId: id, accessControlId })),
            });
          }
          return tx.accessControlTemplate.update({ where: byId(ctx, id), data: name === undefined ? {} : { name } });
        });
        await recordAudit(tx, change, {
          type: 'template.updated',
          subject: { kind: 'access_control_template', id },
          details: {
            before: { name: oldName, accessControlIds: had },
            after: { name: template.name, accessControlIds: wanted ?? had },
          },
        });
        return template;
      });
    },

    /** Deletes one and takes it from every group. @throws NOT_FOUND, CONFLICT `LAST_ADMINISTRATOR` */
    delete(ctx: Ctx, id: string): Promise<void> {
      return administer(ctx, async (change) => {
        const { tx } = change;
        const { groupIds, ...before } = await requireOne(change, ctx, id);
        await consequences.changingGroups(change, groupIds, 'template.deleted', () =>
          tx.accessControlTemplate.delete({ where: byId(ctx, id) }),
        );
        await recordAudit(tx, change, {
          type: 'template.deleted',
          subject: { kind: 'access_control_template', id },
          details: { before },
        });
      });
    },
  };
}

/** See `createTemplates`. */
export type Templates = ReturnType<typeof createTemplates>;
