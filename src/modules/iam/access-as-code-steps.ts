// The steps of an import: one difference, by the use case that is there for it. Those of one section may come in any
// order; the sections in theirs, deletions the other way round.

import { DomainError } from '../../errors/domain-error.ts';
import type { Change } from '../administration/administration.ts';
import type { ScopeCatalogue } from '../scopes/custom-scopes.ts';
import { type Difference, fieldsChanged } from './access-as-code-differences.ts';
import { type EntryOf, type Kind, pathOf } from './access-as-code-file.ts';
import type { Facts } from './access-as-code-problems.ts';
import type { AccessControls } from './access-controls.ts';
import type { Groups } from './groups.ts';
import type { Memberships } from './memberships.ts';
import type { Roles } from './roles.ts';
import type { ScopeDefinitions } from './scope-definitions.ts';
import type { Templates } from './templates.ts';

/** The use cases that an import is made of. */
export interface AccessUseCases {
  readonly accessControls: AccessControls;
  readonly groups: Groups;
  readonly memberships: Memberships;
  readonly roles: Roles;
  readonly scopeDefinitions: ScopeDefinitions;
  readonly scopes: ScopeCatalogue;
  readonly templates: Templates;
}

/** How to add, change and delete something of a section. */
interface Steps<Entry> {
  add(id: string, entry: Entry): Promise<unknown>;
  change(id: string, fields: Partial<Entry>): Promise<unknown>;
  delete(id: string): Promise<unknown>;
}

/** The steps of every section, as parts of `change`. */
export function stepsOf(change: Change, useCases: AccessUseCases): { [In in Kind]: Steps<EntryOf[In]> } {
  const { accessControls, groups, roles, scopeDefinitions, scopes, templates } = useCases;
  return {
    customScopes: {
      add: (id, { description }) => scopeDefinitions.create(change, { id, description }),
      change: (id, { description = '' }) => scopes.describe(change.tx, change, { id, description }),
      delete: (id) => scopeDefinitions.delete(change, id),
    },
    roles: {
      add: (id, role) => roles.create(change, { id, ...role }),
      change: (id, fields) => roles.update(change, id, fields),
      delete: (id) => roles.delete(change, id),
    },
    accessControls: {
      add: (id, control) => accessControls.create(change, { id, ...control }),
      change: (id, fields) => accessControls.update(change, id, fields),
      delete: (id) => accessControls.delete(change, id),
    },
    templates: {
      add: (id, template) => templates.create(change, { id, ...template }),
      change: (id, fields) => templates.update(change, id, fields),
      delete: (id) => templates.delete(change, id),
    },
    groups: {
      add: (id, group) => groups.create(change, { id, ...group }),
      change: (id, fields) => groups.update(change, id, fields),
      delete: (id) => groups.delete(change, id, true),
    },
  };
}

/** Takes one step; what a use case refuses is told with its place in the file. */
export async function take(steps: ReturnType<typeof stepsOf>, difference: Difference): Promise<void> {
  const { kind, id, before, after } = difference;
  const { add, change, delete: remove } = steps[kind] as Steps<object>;
  await placed([kind, id], async () => {
    if (after === null) return remove(id);
    if (before === null) return add(id, after);
    const fields = fieldsChanged(difference).filter((field) => field !== 'employees');
    return fields.length > 0 ? change(id, Object.fromEntries(fields.map((field) => [field, after[field]]))) : undefined;
  });
}

/** Takes out of a group, or puts into it, whom the difference says. */
export async function takeMembers(
  change: Change,
  { memberships }: AccessUseCases,
  { id: groupId, before, after }: Difference,
  which: 'leaving' | 'joining',
  employees: Facts['employees'],
): Promise<void> {
  const [had, wanted] = [before, after].map((group) => (group?.employees ?? []) as readonly string[]);
  const isLeaving = which === 'leaving';
  const moving = isLeaving
    ? had!.filter((one) => !wanted!.includes(one))
    : wanted!.filter((one) => !had!.includes(one));
  await placed(['groups', groupId, 'employees'], async () => {
    for (const address of moving) {
      const membership = { groupId, userId: employees.get(address)!.id, userType: 'EMPLOYEE' } as const;
      await (isLeaving ? memberships.remove(change, membership) : memberships.add(change, membership));
    }
  });
}

async function placed(path: readonly string[], work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof DomainError) || error.code === 'SERVICE_UNAVAILABLE') throw error;
    const { code, message, reason, details } = error;
    throw new DomainError(code, `${pathOf(path)}: ${message}`, {
      ...(reason ? { reason } : {}),
      details,
      cause: error,
    });
  }
}
