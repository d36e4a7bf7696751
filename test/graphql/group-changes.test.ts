// Mutation.createGroup and updateGroup. Deleting one: group-deletion.test.ts; what a group gives and who may give it:
// group-scopes.test.ts; which tokens a change ends: group-revocations.test.ts.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenCompany, givenCustomer } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import {
  companyGroup,
  eventsOf,
  everything,
  givenControl,
  givenGroup,
  givenTemplate,
  revokedBy,
  tryAddMember,
  tryCreateGroup,
  tryDeleteGroup,
  tryUpdateGroup,
} from '../kit/groups.ts';
import { type Service, theService } from '../kit/service.ts';
import { type EmployeeToken, employee, signIn } from '../kit/stories.ts';
import { onBoth } from '../security/b-refresh-families.ts';

let at: Service;
let admin: EmployeeToken;
let bearer: string;
let support: string;
let rival: string;
beforeAll(async () => {
  at = await theService();
  admin = await employee(at);
  bearer = admin.accessToken;
  support = (await employee(at, 'support@demo.example')).accessToken;
  rival = (await employee(at, 'admin@rival.example')).accessToken;
});

const look = async (id: string) =>
  only(
    await graphql(
      at,
      `query ($id: ID!) { group(id: $id) { name userType predefined role version legalEntity { id }
        accessControls { id } templates { id } memberCount } }`,
      { bearer, variables: { id } },
    ),
  );
const reasonOf = ({ code, errors }: Answer) => [code, errors[0]?.extensions.reason];
const fieldOf = ({ code, errors }: Answer) => [code, errors[0]?.extensions.field];
/** The one event of a request of the administrator. */
const eventOf = (group: string, type: string, details: object, legalEntityId: string | null = null) => [
  {
    type,
    outcome: 'success',
    actor: { kind: 'employee', id: admin.employee.id },
    subject: { kind: 'group', id: group },
    legalEntityId,
    details,
  },
];
const expectUntouched = async (attempt: () => Promise<unknown>) => {
  const before = await everything(at);
  await attempt();
  expect(await everything(at)).toEqual(before);
};

describe('createGroup', () => {
  it('success: of employees, with access controls and templates, each once; the trail tells of it; nothing is revoked', async () => {
    const [b, a] = [
      await givenControl(at, { name: 'b' }),
      await givenControl(at, { name: 'a', restrictedTo: 'EMPLOYEE' }),
    ];
    const template = await givenTemplate(at, [a.id]);
    const accessControlIds = [b.id, a.id, b.id];
    let answer: Answer | undefined;
    const revoked = await revokedBy(at, async () => {
      const input = { name: '  Warehouse ', userType: 'EMPLOYEE', accessControlIds, templateIds: [template.id] };
      answer = await tryCreateGroup(at, bearer, input);
    });
    const { id, name, version } = only(answer!);
    expect([name, version, revoked]).toEqual(['Warehouse', 1, []]);
    expect(await look(id)).toEqual({
      name: 'Warehouse',
      userType: 'EMPLOYEE',
      predefined: false,
      role: null,
      version: 1,
      legalEntity: null,
      accessControls: [{ id: a.id }, { id: b.id }],
      templates: [{ id: template.id }],
      memberCount: 0,
    });
    const after = {
      name: 'Warehouse',
      userType: 'EMPLOYEE',
      legalEntityId: null,
      accessControlIds: [a.id, b.id].sort(),
      templateIds: [template.id],
    };
    expect(await eventsOf(at, answer!)).toEqual(eventOf(id, 'group.created', { after }));
  });

  it('success: of customers, everywhere or within a company; twice the same name is two groups', async () => {
    const company = await givenCompany(at);
    const input = { name: 'VIP', userType: 'CUSTOMER' };
    const [one, other] = [await tryCreateGroup(at, bearer, input), await tryCreateGroup(at, bearer, input)];
    expect(only(one).id).not.toBe(only(other).id);
    const within = await tryCreateGroup(at, bearer, { ...input, legalEntityId: company.id, accessControlIds: null });
    const { id } = only(within);
    expect(await look(id)).toMatchObject({ predefined: false, role: null, legalEntity: { id: company.id } });
    expect(await eventsOf(at, within)).toMatchObject([{ type: 'group.created', legalEntityId: company.id }]);
  });

  it('invalid: BAD_USER_INPUT naming the field, and nothing is made', async () => {
    const company = await givenCompany(at);
    const [ours, others] = [
      await givenControl(at, { restrictedTo: 'EMPLOYEE' }),
      await givenControl(at, { restrictedTo: 'CUSTOMER' }),
    ];
    const wrong: [object, string][] = [
      [{ name: '' }, 'input.name'],
      [{ name: ' \t\n' }, 'input.name'],
      [{ name: 'x'.repeat(101) }, 'input.name'],
      [{ legalEntityId: company.id }, 'input.legalEntityId'],
      [{ legalEntityId: randomUUID(), userType: 'CUSTOMER' }, 'input.legalEntityId'],
      [{ legalEntityId: '', userType: 'CUSTOMER' }, 'input.legalEntityId'],
      [{ accessControlIds: [ours.id, randomUUID()] }, 'input.accessControlIds.1'],
      [{ accessControlIds: [ours.id, others.id] }, 'input.accessControlIds.1'],
      [{ accessControlIds: [ours.id], userType: 'CUSTOMER' }, 'input.accessControlIds.0'],
      [{ accessControlIds: Array.from({ length: 501 }, randomUUID) }, 'input.accessControlIds'],
      [{ templateIds: [randomUUID()] }, 'input.templateIds.0'],
      [{ templateIds: Array.from({ length: 501 }, randomUUID) }, 'input.templateIds'],
    ];
    await expectUntouched(async () => {
      for (const [change, field] of wrong) {
        const answer = await tryCreateGroup(at, bearer, { name: 'x', userType: 'EMPLOYEE', ...change });
        expect([field, ...fieldOf(answer)]).toEqual([field, 'BAD_USER_INPUT', field]);
        for (const { name } of [ours, others]) expect(answer.body).not.toContain(name);
      }
    });
    only(await tryCreateGroup(at, bearer, { name: 'x'.repeat(100), userType: 'EMPLOYEE' }));
  });

  it('case 108: what is not the caller’s to say is no field of the input', async () => {
    for (const [name, value] of Object.entries({
      id: 'mine',
      tenantId: 'rival',
      predefined: true,
      role: 'ADMIN',
      version: 7,
      scopes: ['iam.group_manage'],
      createdAt: '2026-01-01T00:00:00Z',
    })) {
      const answer = await tryCreateGroup(at, bearer, { name: 'x', userType: 'CUSTOMER', [name]: value });
      expect([name, answer.code]).toEqual([name, 'BAD_USER_INPUT']);
      if (['id', 'version'].includes(name)) continue;
      const { id } = await givenGroup(at);
      expect([name, (await tryUpdateGroup(at, bearer, { id, [name]: value })).code]).toEqual([name, 'BAD_USER_INPUT']);
    }
  });

  it('unauthenticated', async () => {
    const { code, data } = await tryCreateGroup(at, undefined, { name: 'x', userType: 'EMPLOYEE' });
    expect([code, data?.createGroup]).toEqual(['UNAUTHENTICATED', undefined]);
  });

  it('forbidden: needs iam.group_manage', async () => {
    const { accessToken: customer } = await signIn(at);
    await expectUntouched(async () => {
      for (const token of [support, customer]) {
        const { errors } = await tryCreateGroup(at, token, { name: 'x', userType: 'EMPLOYEE' });
        expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', missingScopes: ['iam.group_manage'] });
      }
    });
  });

  it('other tenant: its access controls, templates and companies are as if they did not exist', async () => {
    const control = await givenControl(at, {}, 'rival');
    const template = await givenTemplate(at, [control.id], 'rival');
    const input = { name: 'x', userType: 'CUSTOMER' };
    for (const [theirs, nobodys, field] of [
      [{ accessControlIds: [control.id] }, { accessControlIds: [randomUUID()] }, 'accessControlIds.0'],
      [{ templateIds: [template.id] }, { templateIds: [randomUUID()] }, 'templateIds.0'],
      [{ legalEntityId: 'umbrella' }, { legalEntityId: randomUUID() }, 'legalEntityId'],
    ] as const) {
      const foreign = await tryCreateGroup(at, bearer, { ...input, ...theirs });
      expect(fieldOf(foreign)).toEqual(['BAD_USER_INPUT', `input.${field}`]);
      expect(foreign.body).toBe((await tryCreateGroup(at, bearer, { ...input, ...nobodys })).body);
    }
  });
});

describe('updateGroup', () => {
  it('success: what is given is changed, what is absent or null stays; the trail tells what was before and what is now', async () => {
    const [one, other] = [await givenControl(at, {}), await givenControl(at, {})];
    const template = await givenTemplate(at, [one.id]);
    const { id, name } = await givenGroup(at, { controlIds: [one.id] });
    const told = { name, userType: 'EMPLOYEE', legalEntityId: null, accessControlIds: [one.id], templateIds: [] };

    const renamed = await tryUpdateGroup(at, bearer, { id, name: ' Renamed ', accessControlIds: null });
    expect(only(renamed)).toEqual({ id, name: 'Renamed', version: 2 });
    const afterwards = { ...told, name: 'Renamed' };
    expect(await eventsOf(at, renamed)).toEqual(eventOf(id, 'group.updated', { before: told, after: afterwards }));

    const filled = await tryUpdateGroup(at, bearer, { id, accessControlIds: [other.id], templateIds: [template.id] });
    expect(only(filled)).toEqual({ id, name: 'Renamed', version: 3 });
    const after = { ...afterwards, accessControlIds: [other.id], templateIds: [template.id] };
    expect(await eventsOf(at, filled)).toEqual(eventOf(id, 'group.updated', { before: afterwards, after }));
    expect(await look(id)).toMatchObject({ accessControls: [{ id: other.id }], templates: [{ id: template.id }] });

    only(await tryUpdateGroup(at, bearer, { id, name: null, accessControlIds: [], templateIds: [] }));
    expect(await look(id)).toMatchObject({ name: 'Renamed', version: 4, accessControls: [], templates: [] });
  });

  it('success: with the version that was read; with another CONFLICT `STALE_VERSION`, and nothing is changed', async () => {
    const { id } = await givenGroup(at);
    expect(only(await tryUpdateGroup(at, bearer, { id, name: 'A', version: 1 })).version).toBe(2);
    await expectUntouched(async () => {
      for (const version of [1, 3, 0, -1])
        expect(reasonOf(await tryUpdateGroup(at, bearer, { id, name: 'B', accessControlIds: [], version }))).toEqual([
          'CONFLICT',
          'STALE_VERSION',
        ]);
    });
    expect(only(await tryUpdateGroup(at, bearer, { id, name: 'C', version: null })).version).toBe(3);
  });

  it('invalid: NOT_FOUND for no group, BAD_USER_INPUT naming the field, and nothing is changed', async () => {
    const { id } = await givenGroup(at, { scopes: ['order.order_read'] });
    const misfit = await givenControl(at, { restrictedTo: 'CUSTOMER' });
    await expectUntouched(async () => {
      expect((await tryUpdateGroup(at, bearer, { id: randomUUID(), name: 'x' })).code).toBe('NOT_FOUND');
      for (const [change, field] of [
        [{ name: ' ' }, 'input.name'],
        [{ name: 'x'.repeat(101) }, 'input.name'],
        [{ name: 'new', accessControlIds: [misfit.id] }, 'input.accessControlIds.0'],
        [{ name: 'new', accessControlIds: [], templateIds: [randomUUID()] }, 'input.templateIds.0'],
        [{ accessControlIds: Array.from({ length: 501 }, randomUUID) }, 'input.accessControlIds'],
      ] as const)
        expect([field, ...fieldOf(await tryUpdateGroup(at, bearer, { id, ...change }))]).toEqual([
          field,
          'BAD_USER_INPUT',
          field,
        ]);
    });
  });

  it('case 103: a list with one bad item changes nothing at all', async () => {
    const good = await Promise.all([1, 2, 3].map(() => givenControl(at, { scopes: ['order.order_read'] })));
    const theirs = await givenControl(at, { scopes: ['order.order_read'] }, 'rival');
    const { id } = await givenGroup(at, { scopes: ['price.price_read'] });
    await expectUntouched(async () => {
      for (const bad of [randomUUID(), theirs.id, '']) {
        const accessControlIds = [good[0]!.id, bad, good[1]!.id, good[2]!.id];
        expect((await tryUpdateGroup(at, bearer, { id, name: 'x', accessControlIds })).code).toBe('BAD_USER_INPUT');
        const created = await tryCreateGroup(at, bearer, { name: 'x', userType: 'EMPLOYEE', accessControlIds });
        expect(created.code).toBe('BAD_USER_INPUT');
      }
    });
  });

  it('predefined groups are CONFLICT `PREDEFINED`, whatever is to change, and to delete', async () => {
    const { id: company } = await givenCompany(at);
    await expectUntouched(async () => {
      for (const role of ['ADMIN', 'BUYER', 'REQUESTER', 'CONTACT']) {
        const id = await companyGroup(at, company, role);
        for (const change of [{ name: 'x' }, { accessControlIds: [] }, { templateIds: [] }, {}])
          expect(reasonOf(await tryUpdateGroup(at, bearer, { id, ...change }))).toEqual(['CONFLICT', 'PREDEFINED']);
        for (const force of [undefined, true])
          expect(reasonOf(await tryDeleteGroup(at, bearer, id, force))).toEqual(['CONFLICT', 'PREDEFINED']);
      }
    });
    const customer = await givenCustomer(at, { [company]: null });
    const groupId = await companyGroup(at, company, 'BUYER');
    only(await tryAddMember(at, bearer, { groupId, userId: customer.id, userType: 'CUSTOMER' }));
    expect(await look(groupId)).toMatchObject({ memberCount: 1, version: 1 });
  });

  it('unauthenticated', async () => {
    const { id } = await givenGroup(at);
    expect((await tryUpdateGroup(at, undefined, { id, name: 'x' })).code).toBe('UNAUTHENTICATED');
  });

  it('forbidden: needs iam.group_manage', async () => {
    const { id } = await givenGroup(at);
    const { errors } = await tryUpdateGroup(at, support, { id, name: 'x' });
    expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', missingScopes: ['iam.group_manage'] });
  });

  it('other tenant: looks as what does not exist, and stays as it is', async () => {
    const { id } = await givenGroup(at);
    await expectUntouched(async () => {
      const [foreign, nowhere] = [
        await tryUpdateGroup(at, rival, { id, name: 'x' }),
        await tryUpdateGroup(at, rival, { id: randomUUID(), name: 'x' }),
      ];
      expect([foreign.code, foreign.body]).toEqual(['NOT_FOUND', nowhere.body]);
    });
  });
});

onBoth('two changes at once', (instances, isEmbedded) => {
  const rounds = isEmbedded ? 3 : 10;

  it('of two with the same version exactly one succeeds, the other is CONFLICT `STALE_VERSION`', async () => {
    const { a, b } = instances();
    const token = (await employee(a)).accessToken;
    for (let round = 0; round < rounds; round += 1) {
      const { id } = await givenGroup(a);
      const answers = await Promise.all([
        tryUpdateGroup(a, token, { id, name: 'A', version: 1 }),
        tryUpdateGroup(b, token, { id, name: 'B', version: 1 }),
      ]);
      const won = answers.filter(({ errors }) => errors.length === 0);
      expect(won).toHaveLength(1);
      expect(answers.filter((one) => one !== won[0]).map(reasonOf)).toEqual([['CONFLICT', 'STALE_VERSION']]);
      const db = a.app.modules.database.forTenant({ tenantId: 'demo' });
      expect(await db.group.findFirstOrThrow({ where: { id } })).toMatchObject({
        version: 2,
        name: only(won[0]!).name,
      });
      expect(await db.auditEvent.count({ where: { subjectId: id, type: 'group.updated' } })).toBe(1);
    }
  });

  it('without a version both succeed, one after the other', async () => {
    const { a, b } = instances();
    const token = (await employee(a)).accessToken;
    const { id } = await givenGroup(a);
    const answers = await Promise.all([
      tryUpdateGroup(a, token, { id, name: 'A' }),
      tryUpdateGroup(b, token, { id, name: 'B' }),
    ]);
    expect(answers.map((answer) => only(answer).version).sort()).toEqual([2, 3]);
  });
});
