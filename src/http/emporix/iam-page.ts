// What lists of IAM have in common, and what its documents need to be looked up: for a whole page at once.

import type { Ctx } from '../../context.ts';
import type { List } from '../../database/keyset.ts';
import type { AccessControl } from '../../modules/iam/access-controls.ts';
import type { createAccessManagement } from '../../modules/iam/access-management.ts';
import { resourcesOf } from '../../modules/iam/actions.ts';
import type { Group } from '../../modules/iam/groups.ts';
import type { Template } from '../../modules/iam/templates.ts';
import { callers } from '../../modules/principals/callers.ts';
import type { ScopeCatalogue } from '../../modules/scopes/custom-scopes.ts';
import type { EmporixRequest, Query } from './emporix-route.ts';
import { accessControlDocument, groupDocument, localized, resourceDocument, roleDocument } from './iam-wire.ts';
import { pageAnswer } from './paging.ts';

/** The use cases behind IAM's routes. */
export type IamUseCases = Omit<
  ReturnType<typeof createAccessManagement>,
  'accessAsCode' | 'entitlements' | 'entitlementSources' | 'iamSetUp'
> & { readonly scopes: ScopeCatalogue };

const PAGE_SIZE = 60;

/** A page of a list whose rows need nothing else. */
export const simplePage = <Row>(
  request: EmporixRequest,
  list: List<Row>,
  toWire: (row: Row) => unknown,
  column = 'name',
) => pageAnswer(request, list, { pageSize: PAGE_SIZE, column, toWire });

/** A page of a list whose rows need something to be looked up. */
export const richPage = <Row>(
  request: EmporixRequest,
  list: List<Row>,
  pageToWire: (rows: readonly Row[]) => Promise<readonly unknown[]>,
  column = 'name',
) => pageAnswer(request, list, { pageSize: PAGE_SIZE, column, pageToWire });

/** Is it among what is to be shown in full? */
export const expands = (query: Query, what: string): boolean => (query.value('expand') ?? '').split(',').includes(what);

/** Groups as the caller may see them. */
export async function groupDocuments({ contents }: IamUseCases, ctx: Ctx, groups: readonly Group[]) {
  const ids = groups.map(({ id }) => id);
  const idsOf = (each: readonly { id: string }[]) => each.map(({ id }) => id);
  const controls = callers.holds(ctx, 'iam.access_read') && (await contents.accessControlsOfGroups(ctx, ids));
  const templates = callers.holds(ctx, 'iam.template_read') && (await contents.templatesOfGroups(ctx, ids));
  return groups.map((group, at) =>
    groupDocument(group, {
      ...(controls && { accessControls: idsOf(controls[at]!) }),
      ...(templates && { templates: idsOf(templates[at]!) }),
    }),
  );
}

/** Access controls, with roles and resources where the query wants them and the caller may see them. */
export async function controlDocuments(
  { accessControls, roles, scopes }: IamUseCases,
  { ctx, query }: Pick<EmporixRequest, 'ctx' | 'query'>,
  controls: readonly AccessControl[],
) {
  const showsRoles = expands(query, 'role') && callers.holds(ctx, 'iam.role_read');
  const showsResources = expands(query, 'resource') && callers.holds(ctx, 'iam.resource_read');
  const roleIds = controls.flatMap(({ roleId }) => roleId ?? []);
  const found = showsRoles && roleIds.length > 0 ? await roles.ofIds(ctx, roleIds) : [];
  const showsPermissions = callers.holds(ctx, 'iam.permission_read');
  const roleOf = new Map(found.flatMap((role) => (role ? [[role.id, roleDocument(role, showsPermissions)]] : [])));
  const resources = showsResources ? resourcesOf(scopes.list(ctx)) : [];
  const resourceOf = new Map(resources.map((resource) => [resource.id, resourceDocument(resource)]));
  return controls.map((control) => {
    const role = roleOf.get(control.roleId ?? '');
    const resource = resourceOf.get(control.resourceId ?? '');
    return accessControlDocument(control, accessControls.scopesOf(control), {
      ...(role && { role }),
      ...(resource && { resource }),
    });
  });
}

/** Templates, with what they bundle as far as the caller may see it. */
export async function templateDocuments(
  useCases: IamUseCases,
  request: Pick<EmporixRequest, 'ctx' | 'query'>,
  templates: readonly Template[],
  isExpanded: boolean,
) {
  const { ctx } = request;
  const summaries = templates.map(({ id, name }) => ({ id, name: localized(name) }));
  if (!callers.holds(ctx, 'iam.access_read')) return summaries;
  const ids = templates.map(({ id }) => id);
  const bundled = await useCases.contents.accessControlsOfTemplates(ctx, ids);
  const documents = isExpanded ? await controlDocuments(useCases, request, bundled.flat()) : [];
  const documentOf = new Map(documents.map((document) => [document.id, document]));
  return summaries.map((summary, at) => ({
    ...summary,
    accessControls: bundled[at]!.map(({ id }) => id),
    ...(isExpanded && { accessControlsDocuments: bundled[at]!.map(({ id }) => documentOf.get(id)) }),
  }));
}
