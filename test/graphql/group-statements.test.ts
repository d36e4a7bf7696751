// What a page of groups costs: the same handful of statements, however many groups, members and access controls there
// are. The answers are held against the database, since a batch may mix up whose is whose.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { graphql, only } from '../kit/graphql.ts';
import { givenControl, givenTemplate } from '../kit/groups.ts';
import { type Service, startService } from '../kit/service.ts';
import { fewestStatements } from '../kit/statements.ts';
import { employee } from '../kit/stories.ts';

interface GroupNode {
  id: string;
  name: string;
  userType: 'EMPLOYEE' | 'CUSTOMER';
  memberCount: number;
  members: { totalCount: number; nodes: { __typename: string; id: string }[]; pageInfo: { hasNextPage: boolean } };
  accessControls: { id: string; role: { id: string } | null; resource: { id: string } | null }[];
  templates: { id: string; accessControls: { id: string }[] }[];
  scopes: string[];
  legalEntity: { id: string } | null;
}

const MOST = 200;
const tenantId = 'demo';
const numbers = Array.from({ length: MOST }, (_, n) => n);
/** Every other group is of employees, every fourth of a company. Of 30 people each has from none to 25 as members. */
const groupOf = (n: number) => ({
  id: `group-${n}`,
  name: `Batch ${String(n).padStart(3, '0')}`,
  userType: n % 2 ? ('CUSTOMER' as const) : ('EMPLOYEE' as const),
  legalEntityId: n % 4 === 1 ? ['acme', 'globex', 'initech'][n % 3]! : null,
});
const membersOf = (n: number) => numbers.slice(0, 30).filter((m) => (m + n) % 30 < n % 26);

let at: Service;
let bearer: string;
let controls: { id: string }[];
let templates: { id: string; controls: string[] }[];
const controlsOf = (n: number) => controls.filter((_, c) => (c + n) % 5 < 2).map(({ id }) => id);
const templatesOf = (n: number) => templates.filter((_, t) => (t + n) % 3 === 0);

beforeAll(async () => {
  at = await startService();
  const db = at.app.modules.database.forTenant({ tenantId });
  const mark = randomUUID();
  controls = [];
  for (const n of numbers.slice(0, 10)) {
    const fromRole = n % 2 ? { roleId: 'viewer', resourceId: 'order.order' } : {};
    controls.push(await givenControl(at, { name: `${n} ${mark}`, scopes: [`batch.thing_read${n}`], ...fromRole }));
  }
  templates = [];
  for (const n of [0, 1, 2]) {
    const bundled = controls.slice(n, n + 3).map(({ id }) => id);
    templates.push({ id: (await givenTemplate(at, bundled)).id, controls: bundled });
  }
  const person = (kind: string) => (n: number) => ({ tenantId, id: `${kind}-${String(n).padStart(2, '0')}` });
  const people = numbers.slice(0, 30);
  await db.employee.createMany({
    data: people.map((n) => ({ ...person('e')(n), email: `e${n}@batch.example`, firstName: 'E', lastName: `${n}` })),
  });
  await db.customer.createMany({
    data: people.map((n) => ({ ...person('c')(n), email: `c${n}@batch.example`, customerNumber: `${10_000_000 + n}` })),
  });
  await db.group.createMany({ data: numbers.map((n) => ({ tenantId, ...groupOf(n) })) });
  const memberships = (remainder: number) => numbers.filter((n) => n % 2 === remainder);
  await db.employeeMembership.createMany({
    data: memberships(0).flatMap((n) =>
      membersOf(n).map((m) => ({ tenantId, groupId: groupOf(n).id, employeeId: person('e')(m).id })),
    ),
  });
  await db.customerMembership.createMany({
    data: memberships(1).flatMap((n) =>
      membersOf(n).map((m) => ({ tenantId, groupId: groupOf(n).id, customerId: person('c')(m).id })),
    ),
  });
  await db.groupAccessControl.createMany({
    data: numbers.flatMap((n) =>
      controlsOf(n).map((accessControlId) => ({ tenantId, groupId: groupOf(n).id, accessControlId })),
    ),
  });
  await db.groupTemplate.createMany({
    data: numbers.flatMap((n) =>
      templatesOf(n).map(({ id: templateId }) => ({ tenantId, groupId: groupOf(n).id, templateId })),
    ),
  });
  bearer = (await employee(at)).accessToken;
});
afterAll(() => at?.stop());

async function read(first: number, selection: string): Promise<{ nodes: GroupNode[]; statements: string[] }> {
  const query = `query ($first: Int!) { groups(first: $first, search: "Batch") { nodes { id name userType ${selection} } } }`;
  let nodes: GroupNode[] = [];
  const statements = await fewestStatements(at, async () => {
    ({ nodes } = only(await graphql(at, query, { bearer, variables: { first } })));
  });
  return { nodes, statements };
}
const PEOPLE = 'nodes { __typename ... on Employee { id email } ... on Customer { id email } }';
const EVERYTHING = `memberCount members(first: 20) { totalCount ${PEOPLE} pageInfo { hasNextPage } }
  accessControls { id role { id name } resource { id } } templates { id accessControls { id } } scopes legalEntity { id name }`;

it('20 groups and 200 groups with all that leads on from them cost the same, a fixed handful', async () => {
  const [few, many] = [await read(20, EVERYTHING), await read(MOST, EVERYTHING)];
  expect([few.nodes.length, many.nodes.length]).toEqual([20, MOST]);
  expect(many.statements).toHaveLength(few.statements.length);
  expect(many.statements.length).toBeLessThanOrEqual(13);
});

it('50 groups with members, access controls and scopes cost six statements at most', async () => {
  const { nodes, statements } = await read(50, `members { ${PEOPLE} } accessControls { id name } scopes`);
  expect(nodes).toHaveLength(50);
  expect(statements.length).toBeLessThanOrEqual(6);
  expect(statements.join()).not.toMatch(/count\(/i);
});

it('people and their groups cost a statement or two more, however many they are', async () => {
  const count = async (first: number) => {
    const query = `query ($first: Int!) {
      employees(first: $first) { nodes { id scopes groups { id scopes } } }
      customers(first: $first) { nodes { id groups { id legalEntity { id } } } } }`;
    const statements = await fewestStatements(at, async () => {
      expect((await graphql(at, query, { bearer, variables: { first } })).errors).toEqual([]);
    });
    return statements.length;
  };
  expect(await count(30)).toBe(await count(5));
});

it('a batch gives every group what is its own', async () => {
  const { nodes } = await read(MOST, EVERYTHING);
  nodes.forEach((node, n) => {
    const { id, name, userType, legalEntityId } = groupOf(n);
    const [kind, type] = userType === 'EMPLOYEE' ? ['e', 'Employee'] : ['c', 'Customer'];
    const members = membersOf(n);
    const bundled = templatesOf(n).flatMap((template) => template.controls);
    const given = controls
      .map((control, c) => [control.id, `batch.thing_read${c}`] as const)
      .filter(([control]) => controlsOf(n).includes(control) || bundled.includes(control))
      .map(([, scope]) => scope);
    expect(node).toMatchObject({ id, name, userType, memberCount: members.length, scopes: given });
    expect(node.legalEntity?.id ?? null).toBe(legalEntityId);
    expect(node.members).toMatchObject({
      totalCount: members.length,
      nodes: members.slice(0, 20).map((m) => ({ __typename: type, id: `${kind}-${String(m).padStart(2, '0')}` })),
      pageInfo: { hasNextPage: members.length > 20 },
    });
    expect(node.accessControls.map((control) => control.id)).toEqual(controlsOf(n));
    for (const { id: control, role, resource } of node.accessControls) {
      const isOfRole = controls.findIndex((each) => each.id === control) % 2 === 1;
      expect([role?.id, resource?.id]).toEqual(isOfRole ? ['viewer', 'order.order'] : [undefined, undefined]);
    }
    const sorted = (items: readonly { id: string }[]) => items.map((item) => item.id).sort();
    expect(sorted(node.templates)).toEqual(sorted(templatesOf(n)));
    for (const template of node.templates)
      expect(template.accessControls.map((control) => control.id)).toEqual(
        templates.find((each) => each.id === template.id)!.controls,
      );
  });
});
