import { describe, expect, it } from 'vitest';
import { b2bGroupAccessControls, predefinedAccessControls } from '../../../src/modules/iam/predefined.ts';
import { defaultCustomerScopes } from '../../../src/modules/scopes/predefined-sets.ts';
import { isBuiltInScope, registry } from '../../../src/modules/scopes/registry.ts';

const byId = new Map(predefinedAccessControls.map((control) => [control.id, control]));
const addedBy = (role: keyof typeof b2bGroupAccessControls) =>
  [...new Set(b2bGroupAccessControls[role].flatMap((id) => byId.get(id)!.scopes))]
    .filter((scope) => !defaultCustomerScopes.includes(scope))
    .sort();

describe('the groups of a company', () => {
  it('Admin adds exactly the six scopes that manage its people', () => {
    expect(addedBy('ADMIN')).toEqual([
      'customer.customer_manage_own',
      'customer.customer_read_own',
      'iam.assignment_create_own',
      'iam.assignment_delete_own',
      'iam.group_read_own',
      'iam.user_read_own',
    ]);
  });

  it.each(['BUYER', 'REQUESTER', 'CONTACT'] as const)('%s adds nothing to what every customer may', (role) => {
    expect(addedBy(role)).toEqual([]);
  });

  it('have access controls for customers only', () => {
    const given = Object.values(b2bGroupAccessControls).flat();
    expect(given.every((id) => byId.get(id)?.restrictedTo === 'CUSTOMER')).toBe(true);
  });

  it('never give a company’s members the wide form of anything', () => {
    const customers = predefinedAccessControls.filter(({ restrictedTo }) => restrictedTo === 'CUSTOMER');
    expect(customers.flatMap(({ scopes }) => scopes).filter((scope) => !/_(own|le)$/.test(scope))).toEqual([]);
  });
});

describe('predefined access controls', () => {
  it('have ids and names of their own, in the platform’s form', () => {
    expect(byId.size).toBe(predefinedAccessControls.length);
    expect(new Set(predefinedAccessControls.map(({ name }) => name)).size).toBe(predefinedAccessControls.length);
    for (const { id, name } of predefinedAccessControls) {
      expect(id).toMatch(/^[124]ac869fc-d548-4ec8-8e06-c01491314\d{3}$/);
      expect(name).toMatch(/^[A-Z_]+$/);
    }
  });

  it('give built-in scopes, each once', () => {
    for (const { scopes } of predefinedAccessControls) {
      expect(scopes.every(isBuiltInScope)).toBe(true);
      expect(new Set(scopes).size).toBe(scopes.length);
    }
  });

  it('a viewer only reads, and a manager reads what the viewer does', () => {
    const named = new Map(predefinedAccessControls.map((control) => [control.name, control]));
    for (const { name, scopes, restrictedTo } of predefinedAccessControls) {
      if (!name.endsWith('_VIEWER') || restrictedTo !== 'EMPLOYEE') continue;
      expect(scopes.filter((scope) => !/_(read|view)$/.test(scope))).toEqual([]);
      const manager = named.get(name.replace(/_VIEWER$/, '_MANAGER'));
      if (manager) expect(manager.scopes).toEqual(expect.arrayContaining([...scopes]));
    }
  });

  it('to employees never give what the platform keeps from its own clients, but for extensions', () => {
    const legacy = predefinedAccessControls.flatMap(({ scopes }) => scopes).filter((scope) => registry[scope].legacy);
    expect([...new Set(legacy)].sort()).toEqual(['extension.extension_manage', 'extension.extension_read']);
  });
});
