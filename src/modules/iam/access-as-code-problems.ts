// What is wrong with a file for this tenant, all of it at once and before anything is written. The use cases refuse the
// same, and are asked all the same; here it is told by its place in the file, and to a dry run.
// Invariant: no I/O; what a file names is in the tenant afterwards, or predefined.

import { DomainError } from '../../errors/domain-error.ts';
import { canonicalEmail } from '../principals/email.ts';
import type { ScopeCatalogue, ScopesOf } from '../scopes/custom-scopes.ts';
import { synonymsOf } from '../scopes/matching.ts';
import { type AccessAfter, type Difference, fieldsChanged } from './access-as-code-differences.ts';
import type { AccessFile, EntryOf, Kind, Problem } from './access-as-code-file.ts';
import { permissionsOf, resourcesOf, scopesOfRole } from './actions.ts';

/** An access control that every tenant has. */
interface Predefined {
  readonly restrictedTo: string | null;
  readonly scopes: readonly string[];
  readonly everyScope: boolean;
}

/** What is there beside the file. */
export interface Facts {
  readonly roles: ReadonlyMap<string, { readonly actions: readonly string[] }>;
  readonly accessControls: ReadonlyMap<string, Predefined>;
  /** The ids of predefined groups, as far as the file has them. */
  readonly groups: ReadonlySet<string>;
  readonly companies: ReadonlySet<string>;
  /** By mail address, those that a group has or is to have. */
  readonly employees: ReadonlyMap<string, { readonly id: string; readonly enabled: boolean }>;
  readonly scopesOfClients: ReadonlySet<string>;
}

/** What an import is about. */
export interface Intent {
  readonly file: AccessFile;
  readonly differences: readonly Difference[];
  readonly after: AccessAfter;
  readonly facts: Facts;
  /** The tenant, with the scopes that it will have. */
  readonly scopesAfter: ScopesOf;
}

/** What no use case changes once it is there. */
const fixed: Partial<Record<Kind, readonly string[]>> = {
  accessControls: ['restrictedTo'],
  groups: ['userType', 'legalEntityId'],
};

type Path = readonly (string | number)[];

/** Everything that is wrong. */
export function problemsIn(
  { file, differences, after, facts, scopesAfter }: Intent,
  scopes: ScopeCatalogue,
): Problem[] {
  const problems: Problem[] = [];
  const expect = (isGood: boolean, path: Path, message: string) => {
    if (!isGood) problems.push({ path, message });
  };
  const expectEach = (path: Path, values: readonly string[], isGood: (value: string) => boolean, message: string) =>
    values.forEach((value, index) => {
      expect(isGood(value), [...path, index], message);
    });
  const entries = <In extends Kind>(kind: In) => Object.entries(file[kind] ?? {}) as [string, EntryOf[In]][];

  function checkIds(): void {
    const taken = { roles: facts.roles, accessControls: facts.accessControls, groups: facts.groups };
    for (const kind of ['roles', 'accessControls', 'groups'] as const) {
      for (const [id] of entries(kind))
        expect(!taken[kind].has(id), [kind, id], 'is predefined: it can be named, but not edited');
    }
    for (const difference of differences) {
      const { kind, id } = difference;
      if (!difference.before || !difference.after) continue;
      for (const field of fieldsChanged(difference).filter((name) => fixed[kind]?.includes(name)))
        expect(false, [kind, id, field], 'cannot be changed: take another id');
    }
  }

  function checkScopes(): void {
    for (const { kind, id, before, after: scope } of differences) {
      if (kind !== 'customScopes') continue;
      const isUsed = [id, ...synonymsOf(id)].some((spelling) => facts.scopesOfClients.has(spelling));
      if (!scope) expect(!isUsed, [kind, id], 'cannot be deleted, for clients still have it');
      if (before || !scope) continue;
      try {
        scopes.requireDefinable(scopesAfter, { id, description: String(scope.description) });
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        expect(false, [kind, id], error.message);
      }
    }
  }

  function checkRolesAndControls(): void {
    const all = scopes.list(scopesAfter);
    const permissions = new Set(permissionsOf(all).map(({ id }) => id));
    const resources = new Set(resourcesOf(all).map(({ id }) => id));
    const isChanged = (kind: Kind, id: string) => differences.some((one) => one.kind === kind && one.id === id);
    for (const [id, { permissionIds }] of entries('roles').filter(([id]) => isChanged('roles', id))) {
      const path = ['roles', id, 'permissionIds'];
      expectEach(path, permissionIds, (one) => permissions.has(one), 'is no permission of this tenant');
    }
    for (const [id, { scopes: listed = [], roleId, resourceId }] of entries('accessControls')) {
      const path = ['accessControls', id];
      expectEach([...path, 'scopes'], listed, (one) => scopes.isKnown(scopesAfter, one), 'is no scope of this tenant');
      if (roleId === undefined || resourceId === undefined) continue;
      const actions = facts.roles.get(roleId)?.actions ?? after.roles.get(roleId)?.permissionIds;
      expect(actions !== undefined, [...path, 'roleId'], 'is no role of this tenant');
      expect(resources.has(resourceId), [...path, 'resourceId'], 'is no resource of this tenant');
      // A role that has come to give nothing may stay.
      if (!actions || !resources.has(resourceId) || !isChanged('accessControls', id)) continue;
      const given = scopesOfRole(actions, resourceId, (scope) => scopes.find(scopesAfter, scope) !== null);
      expect(given.length > 0, [...path, 'roleId'], 'is a role without a permission that this resource knows');
    }
  }

  function checkTemplatesAndGroups(): void {
    const control = (id: string) => facts.accessControls.get(id) ?? after.accessControls.get(id);
    const isControl = (id: string) => control(id) !== undefined;
    const noControl = 'is no access control of this tenant';
    for (const [id, { accessControlIds }] of entries('templates'))
      expectEach(['templates', id, 'accessControlIds'], accessControlIds, isControl, noControl);
    for (const [id, group] of entries('groups')) {
      const path = ['groups', id];
      const { userType, legalEntityId, accessControlIds, templateIds, employees } = group;
      const fits = (one: string) => (control(one)?.restrictedTo ?? userType) === userType;
      expectEach([...path, 'accessControlIds'], accessControlIds, isControl, noControl);
      expectEach([...path, 'accessControlIds'], accessControlIds, fits, `is not for groups of type ${userType}`);
      const isTemplate = (one: string) => after.templates.has(one);
      expectEach([...path, 'templateIds'], templateIds, isTemplate, 'is no template of this tenant');
      if (legalEntityId !== undefined) {
        expect(userType === 'CUSTOMER', [...path, 'legalEntityId'], 'only customers have groups in a company');
        expect(facts.companies.has(legalEntityId), [...path, 'legalEntityId'], 'is no company of this tenant');
      }
      if (employees) expect(userType === 'EMPLOYEE', [...path, 'employees'], 'only a group of employees has employees');
      const isEmployee = (address: string) => facts.employees.has(canonicalEmail(address) ?? '');
      expectEach([...path, 'employees'], employees ?? [], isEmployee, 'is not the mail address of an employee');
    }
  }

  checkIds();
  checkScopes();
  checkRolesAndControls();
  checkTemplatesAndGroups();
  return problems;
}

const MANAGING = 'iam.group_manage';

/** Will an enabled employee be in a group that lets them manage groups? What `entitlements.haveAdministrator` asks the
 * database afterwards. */
export function willHaveAdministrator({ after, facts }: Intent): boolean {
  const lets = (id: string): boolean => {
    const given = facts.accessControls.get(id);
    if (given) return given.restrictedTo !== 'CUSTOMER' && (given.everyScope || given.scopes.includes(MANAGING));
    const own = after.accessControls.get(id);
    if (!own || own.restrictedTo === 'CUSTOMER') return false;
    if (own.scopes) return own.scopes.includes(MANAGING);
    const { roleId = '', resourceId = '' } = own;
    const actions = facts.roles.get(roleId)?.actions ?? after.roles.get(roleId)?.permissionIds ?? [];
    return scopesOfRole(actions, resourceId, (scope) => scope === MANAGING).length > 0;
  };
  const bundleLets = (id: string) => after.templates.get(id)?.accessControlIds.some(lets) ?? false;
  return [...after.groups.values()].some(
    ({ userType, accessControlIds, templateIds, employees = [] }) =>
      userType === 'EMPLOYEE' &&
      (accessControlIds.some(lets) || templateIds.some(bundleLets)) &&
      employees.some((address) => facts.employees.get(address)?.enabled),
  );
}
