// Mutation.createLegalEntity, updateLegalEntity and deleteLegalEntity.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  contactsOf,
  rolesOf,
  tryAssign,
  tryCreateLegalEntity,
  tryDeleteLegalEntity,
  tryUpdateLegalEntity,
} from '../kit/companies.ts';
import { givenCompany, givenCustomer } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { tokenWith } from '../kit/groups.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { employee, isGood, refresh, signIn, tryRefresh } from '../kit/stories.ts';

let at: Service;
let admin: string;
beforeAll(async () => {
  at = await theService();
  admin = (await employee(at)).accessToken;
});

const newId = () => `le-${randomUUID()}`;
const trail = (id: string, type: string) =>
  at.app.modules.database.forTenant(ctxOf('demo')).auditEvent.findMany({ where: { subjectId: id, type } });

/** A customer who acts for a company, and their tokens. */
async function shopperFor(company: string, role: 'ADMIN' | 'BUYER' = 'BUYER') {
  const customer = await givenCustomer(at, { [company]: role });
  const plain = await signIn(at, customer.email);
  return { ...customer, acting: await refresh(at, plain.refreshToken, { legalEntityId: company }) };
}

describe('createLegalEntity', () => {
  it('success: a company, with its four predefined groups, told to the trail', async () => {
    const id = newId();
    const input = { id, name: ' Initrode ', accountLimit: { currency: 'EUR', value: '2500.5' } };
    expect(only(await tryCreateLegalEntity(at, admin, input))).toEqual({
      id,
      name: 'Initrode',
      type: 'COMPANY',
      enabled: true,
      version: 1,
      parent: null,
      accountLimit: { currency: 'EUR', value: '2500.50' },
      customerGroups: ['Admin', 'Buyer', 'Contact', 'Requester'].map((name) => ({
        role: name.toUpperCase(),
        name: `Initrode ${name}`,
        predefined: true,
      })),
    });
    expect(await trail(id, 'legal_entity.created')).toMatchObject([
      { details: { after: { name: 'Initrode', type: 'COMPANY', parentId: null, accountLimit: '2500.5 EUR' } } },
    ]);
  });

  it('success: a subsidiary; its id and type go without saying', async () => {
    const made = only<any>(await tryCreateLegalEntity(at, admin, { name: 'Branch', parentId: 'acme' }));
    expect(made).toMatchObject({ type: 'SUBSIDIARY', parent: { id: 'acme' } });
    expect(made.id).toMatch(/^[\w-]{36}$/);
  });

  it.each([
    [{ id: 'no blanks', name: 'X' }, 'input.id'],
    [{ id: 'x'.repeat(67), name: 'X' }, 'input.id'],
    [{ id: '', name: 'X' }, 'input.id'],
    [{ name: ' ' }, 'input.name'],
    [{ name: 'x'.repeat(101) }, 'input.name'],
    [{ name: 'X', type: 'SUBSIDIARY' }, 'input.parentId'],
    [{ name: 'X', type: 'COMPANY', parentId: 'acme' }, 'input.parentId'],
    [{ name: 'X', parentId: 'nothing' }, 'input.parentId'],
    [{ name: 'X', parentId: 'umbrella' }, 'input.parentId'],
    [{ name: 'X', accountLimit: { currency: 'eur', value: '1' } }, 'input.accountLimit.currency'],
    [{ name: 'X', accountLimit: { currency: 'EUR', value: '-1' } }, 'input.accountLimit.value'],
    [{ name: 'X', accountLimit: { currency: 'EUR', value: '1e5' } }, 'input.accountLimit.value'],
    [{ name: 'X', accountLimit: { currency: 'EUR', value: '1.00001' } }, 'input.accountLimit.value'],
    [{ name: 'X', accountLimit: { currency: 'EUR', value: '1'.repeat(16) } }, 'input.accountLimit.value'],
  ])('invalid: %j is BAD_USER_INPUT at %s', async (input, field) => {
    const answer = await tryCreateLegalEntity(at, admin, input);
    expect([answer.code, answer.errors[0]?.extensions.field]).toEqual(['BAD_USER_INPUT', field]);
  });

  it('an id that is taken is a CONFLICT; one that another tenant has is not', async () => {
    const again = await tryCreateLegalEntity(at, admin, { id: 'acme', name: 'X' });
    expect([again.code, again.errors[0]?.extensions.reason]).toEqual(['CONFLICT', 'LEGAL_ENTITY_EXISTS']);
    const rival = (await employee(at, 'admin@rival.example')).accessToken;
    const id = newId();
    expect((await tryCreateLegalEntity(at, rival, { id, name: 'Theirs' })).errors).toEqual([]);
    expect(only(await tryCreateLegalEntity(at, admin, { id, name: 'Ours' })).name).toBe('Ours');
  });

  it('unauthenticated and forbidden', async () => {
    const input = { name: 'X' };
    expect((await tryCreateLegalEntity(at, undefined, input)).code).toBe('UNAUTHENTICATED');
    const reader = await tokenWith(at, 'customermanagement.legalentity_read', 'iam.group_read');
    const answer = await tryCreateLegalEntity(at, reader, input);
    expect(answer.errors[0]?.extensions.missingScopes).toEqual(['customermanagement.legalentity_manage']);
  });
});

describe('updateLegalEntity', () => {
  it('success: what is given changes, what is absent stays, null takes away', async () => {
    const { id } = only<any>(
      await tryCreateLegalEntity(at, admin, { name: 'Old', accountLimit: { currency: 'EUR', value: '1' } }),
    );
    const renamed = only<any>(await tryUpdateLegalEntity(at, admin, { id, name: 'New', version: 1 }));
    expect(renamed).toMatchObject({ name: 'New', version: 2, accountLimit: { currency: 'EUR', value: '1.00' } });
    const moved = only<any>(await tryUpdateLegalEntity(at, admin, { id, parentId: 'acme', accountLimit: null }));
    expect(moved).toMatchObject({ name: 'New', type: 'SUBSIDIARY', parent: { id: 'acme' }, accountLimit: null });
    expect(only(await tryUpdateLegalEntity(at, admin, { id, parentId: null }))).toMatchObject({
      type: 'COMPANY',
      parent: null,
    });
    expect(await trail(id, 'legal_entity.updated')).toMatchObject([
      { details: { before: { name: 'Old' }, after: { name: 'New' } } },
      { details: { before: { parentId: null }, after: { parentId: 'acme', accountLimit: null } } },
      { details: { before: { parentId: 'acme' }, after: { parentId: null } } },
    ]);
  });

  it('disabling ends every token for it at once and nothing else; enabled again, the old ones stay ended', async () => {
    const company = await givenCompany(at);
    const shopper = await shopperFor(company.id);
    const elsewhere = await signIn(at, shopper.email);
    await tryUpdateLegalEntity(at, admin, { id: company.id, enabled: false });
    expect(await isGood(at, shopper.acting.accessToken)).toBe(false);
    expect(await isGood(at, elsewhere.accessToken)).toBe(true);
    expect((await tryRefresh(at, shopper.acting.refreshToken)).code).toBe('ACCESS_DENIED');
    await tryUpdateLegalEntity(at, admin, { id: company.id, enabled: true });
    expect(await isGood(at, shopper.acting.accessToken)).toBe(false);
    const back = await refresh(at, shopper.acting.refreshToken);
    expect(back.legalEntity?.id).toBe(company.id);
  });

  it('a name, a limit or a parent end nothing', async () => {
    const company = await givenCompany(at);
    const shopper = await shopperFor(company.id);
    for (const change of [{ name: 'Other' }, { accountLimit: { currency: 'EUR', value: '5' } }, { parentId: 'globex' }])
      expect((await tryUpdateLegalEntity(at, admin, { id: company.id, ...change })).errors).toEqual([]);
    expect(await isGood(at, shopper.acting.accessToken)).toBe(true);
  });

  it('invalid: a parent that is itself, below it, unknown or of another tenant', async () => {
    const ids: string[] = [];
    for (let level = 0; level < 3; level += 1)
      ids.push(only<any>(await tryCreateLegalEntity(at, admin, { name: `L${level}`, parentId: ids.at(-1) })).id);
    for (const parentId of [ids[0], ids[1], ids[2], 'nothing', 'umbrella']) {
      const answer = await tryUpdateLegalEntity(at, admin, { id: ids[0], parentId });
      expect([answer.code, answer.errors[0]?.extensions.field]).toEqual(['BAD_USER_INPUT', 'input.parentId']);
    }
    expect((await tryUpdateLegalEntity(at, admin, { id: ids[2], parentId: ids[0] })).errors).toEqual([]);
  });

  it('a lost update is a CONFLICT, and changes nothing', async () => {
    const { id } = await givenCompany(at);
    await tryUpdateLegalEntity(at, admin, { id, name: 'First', version: 1 });
    const answer = await tryUpdateLegalEntity(at, admin, { id, name: 'Second', version: 1 });
    expect([answer.code, answer.errors[0]?.extensions.reason]).toEqual(['CONFLICT', 'STALE_VERSION']);
    expect((await at.app.modules.legalEntities.find(ctxOf('demo'), id))?.name).toBe('First');
  });

  it('moved away, contacts by inheritance lose the old parent at once and win the new one', async () => {
    const [from, to] = [await givenCompany(at), await givenCompany(at)];
    const { id } = only<any>(await tryCreateLegalEntity(at, admin, { name: 'Mover', parentId: from.id }));
    const both = await givenCustomer(at, { [id]: 'BUYER', [from.id]: null });
    const inherited = await givenCustomer(at, { [id]: 'BUYER' });
    const { refreshToken } = await signIn(at, inherited.email);
    const there = await refresh(at, refreshToken, { legalEntityId: from.id });
    await tryUpdateLegalEntity(at, admin, { id, parentId: to.id });
    expect(await contactsOf(at, inherited.id)).toEqual({ [id]: 'own', [to.id]: 'inherited' });
    expect(await contactsOf(at, both.id)).toEqual({ [id]: 'own', [from.id]: 'own', [to.id]: 'inherited' });
    expect(await isGood(at, there.accessToken)).toBe(false);
    expect((await tryRefresh(at, there.refreshToken)).code).toBe('ACCESS_DENIED');
    expect(await rolesOf(at, inherited.id)).toEqual([`${id} BUYER`, `${id} CONTACT`, `${to.id} CONTACT`].sort());
  });

  it('who was taken out by hand stays out when something else is made or moved in the tree; the trail counts the others', async () => {
    const [root, other] = [await givenCompany(at), await givenCompany(at)];
    const { contactAssignments } = at.app.modules;
    const middle = only<any>(await tryCreateLegalEntity(at, admin, { name: 'Middle', parentId: root.id })).id;
    const customer = await givenCustomer(at, { [middle]: 'BUYER' });
    const colleague = await givenCustomer(at, { [middle]: null });
    await contactAssignments.unassign(ctxOf('demo'), { customerId: customer.id, legalEntityId: root.id });
    const leaf = only<any>(await tryCreateLegalEntity(at, admin, { name: 'Leaf', parentId: middle })).id;
    await tryUpdateLegalEntity(at, admin, { id: leaf, parentId: root.id });
    await tryUpdateLegalEntity(at, admin, { id: leaf, parentId: middle });
    expect(await contactsOf(at, customer.id)).toEqual({ [middle]: 'own' });
    await tryUpdateLegalEntity(at, admin, { id: root.id, parentId: other.id });
    expect(await contactsOf(at, customer.id)).toEqual({ [middle]: 'own', [other.id]: 'inherited' });
    expect(await contactsOf(at, colleague.id)).toEqual({
      [middle]: 'own',
      [root.id]: 'inherited',
      [other.id]: 'inherited',
    });
    expect((await trail(root.id, 'legal_entity.updated')).at(-1)?.details).toMatchObject({
      contactsByInheritance: { ended: 0, made: 2 },
    });
  });

  it('unknown, of another tenant, unauthenticated and forbidden', async () => {
    for (const id of ['nothing', 'umbrella'])
      expect((await tryUpdateLegalEntity(at, admin, { id, name: 'X' })).code).toBe('NOT_FOUND');
    expect((await tryUpdateLegalEntity(at, undefined, { id: 'acme', name: 'X' })).code).toBe('UNAUTHENTICATED');
    const { acting } = await shopperFor('acme', 'ADMIN');
    expect((await tryUpdateLegalEntity(at, acting.accessToken, { id: 'acme', name: 'X' })).code).toBe('FORBIDDEN');
  });
});

describe('deleteLegalEntity', () => {
  it('success: with all that is its own, told to the trail; its tokens end at once, people stay', async () => {
    const parent = await givenCompany(at);
    const { id } = only<any>(await tryCreateLegalEntity(at, admin, { name: 'Short-lived', parentId: parent.id }));
    const shopper = await shopperFor(id, 'ADMIN');
    await at.app.modules.locations.create(ctxOf('demo'), { legalEntityId: id, name: 'HQ', type: 'HEADQUARTER' });
    const plain = await signIn(at, shopper.email);
    expect(only(await tryDeleteLegalEntity(at, admin, id))).toBe(id);
    expect(await isGood(at, shopper.acting.accessToken)).toBe(false);
    expect(await isGood(at, plain.accessToken)).toBe(true);
    expect((await tryRefresh(at, shopper.acting.refreshToken)).code).toBe('ACCESS_DENIED');
    expect((await refresh(at, shopper.acting.refreshToken, { legalEntityId: null })).legalEntity).toBeNull();
    expect(await contactsOf(at, shopper.id)).toEqual({});
    expect(await rolesOf(at, shopper.id)).toEqual([]);
    expect(await trail(id, 'legal_entity.deleted')).toMatchObject([
      {
        details: {
          before: { name: 'Short-lived' },
          removed: { contacts: 1, groups: 4, locations: 1, contactsElsewhere: 1 },
        },
      },
    ]);
    expect((await tryDeleteLegalEntity(at, admin, id)).code).toBe('NOT_FOUND');
  });

  it('made again, it is another: who was a contact of the old one is none of the new one', async () => {
    const id = newId();
    await tryCreateLegalEntity(at, admin, { id, name: 'X' });
    const shopper = await shopperFor(id, 'ADMIN');
    await tryDeleteLegalEntity(at, admin, id);
    await tryCreateLegalEntity(at, admin, { id, name: 'X' });
    expect(await isGood(at, shopper.acting.accessToken)).toBe(false);
    expect((await tryRefresh(at, shopper.acting.refreshToken)).code).toBe('ACCESS_DENIED');
    await tryAssign(at, admin, { customerId: shopper.id, legalEntityId: id });
    expect((await refresh(at, shopper.acting.refreshToken)).scopes).not.toContain('iam.assignment_create_own');
  });

  it('a CONFLICT while it has subsidiaries, and nothing is changed', async () => {
    const answer = await tryDeleteLegalEntity(at, admin, 'acme');
    expect([answer.code, answer.errors[0]?.extensions.reason]).toEqual(['CONFLICT', 'HAS_SUBSIDIARIES']);
  });

  it('unknown, of another tenant, unauthenticated and forbidden', async () => {
    for (const id of ['nothing', 'umbrella'])
      expect((await tryDeleteLegalEntity(at, admin, id)).code).toBe('NOT_FOUND');
    expect((await tryDeleteLegalEntity(at, undefined, 'globex')).code).toBe('UNAUTHENTICATED');
    const bearer = await tokenWith(at, 'customermanagement.legalentity_read');
    expect((await tryDeleteLegalEntity(at, bearer, 'globex')).code).toBe('FORBIDDEN');
  });
});
