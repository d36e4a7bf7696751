// Which tokens work on groups ends: those of whoever is concerned, at once, and nobody else's. product.md section 2.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenCompany, givenCustomer, givenEmployee } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import {
  companyGroup,
  givenControl,
  givenGroup,
  givenTemplate,
  revokedBy,
  tokenWith,
  tryAddMember,
  tryDeleteGroup,
  tryRemoveMember,
  tryUpdateGroup,
} from '../kit/groups.ts';
import { type Service, theService } from '../kit/service.ts';
import {
  type CustomerToken,
  type EmployeeToken,
  employee,
  isGood,
  refresh,
  signIn,
  tryRefreshEmployee,
} from '../kit/stories.ts';

let at: Service;
let bearer: string;
let read: string;
let update: string;
beforeAll(async () => {
  at = await theService();
  bearer = (await employee(at)).accessToken;
  read = (await givenControl(at, { scopes: ['order.order_read'] })).id;
  update = (await givenControl(at, { scopes: ['order.order_update'] })).id;
});

/** An employee in these groups alone beside an empty one, signed in. */
async function memberOf(...groupIds: string[]): Promise<EmployeeToken> {
  const { id: userId, email } = await givenEmployee(at);
  for (const groupId of groupIds) only(await tryAddMember(at, bearer, { groupId, userId }));
  return employee(at, email);
}
const group = async (...controlIds: string[]) => (await givenGroup(at, { controlIds })).id;
const areGood = (tokens: readonly { accessToken: string }[]) =>
  Promise.all(tokens.map(({ accessToken }) => isGood(at, accessToken)));
/** What `work` revokes; `ends` are good before it and not after it, `stays` before and after. */
async function expectEnds(
  ends: readonly { accessToken: string }[],
  stays: readonly { accessToken: string }[],
  work: () => Promise<unknown>,
): Promise<string[]> {
  expect(await areGood([...ends, ...stays])).not.toContain(false);
  const revoked = await revokedBy(at, work);
  expect([await areGood(ends), await areGood(stays)]).toEqual([ends.map(() => false), stays.map(() => true)]);
  return revoked;
}
const nextScopes = async ({ refreshToken }: EmployeeToken): Promise<string[]> =>
  only(await tryRefreshEmployee(at, refreshToken)).scopes;
const change = async (id: string, input: object) => only(await tryUpdateGroup(at, bearer, { id, ...input }));

describe('a changed group', () => {
  it('that gives more, less or something else ends its members’ tokens and nobody else’s; a refresh gives what it gives now', async () => {
    for (const [input, scopes] of [
      [{ accessControlIds: [read, update] }, ['order.order_read', 'order.order_update']],
      [{ accessControlIds: [] }, []],
      [{ accessControlIds: [update] }, ['order.order_update']],
      [{ templateIds: [(await givenTemplate(at, [update])).id] }, ['order.order_read', 'order.order_update']],
    ] as const) {
      const [id, other] = [await group(read), await group(read)];
      const [one, two, stranger] = [await memberOf(id), await memberOf(id, other), await memberOf(other)];
      expect(await expectEnds([one, two], [stranger], () => change(id, input))).toEqual([`GROUP ${id}`]);
      expect(await nextScopes(one)).toEqual(scopes);
      expect(await nextScopes(two)).toEqual([...new Set(['order.order_read', ...scopes])].sort());
    }
  });

  it('of customers ends their tokens, those of a company’s group only the ones for that company', async () => {
    const company = await givenCompany(at);
    const { id: userId, email } = await givenCustomer(at, { [company.id]: null });
    const [everywhere, within] = [
      await givenGroup(at, { userType: 'CUSTOMER', memberIds: [userId] }),
      await givenGroup(at, { userType: 'CUSTOMER', legalEntityId: company.id, memberIds: [userId] }),
    ];
    const stranger = await signIn(at, (await givenCustomer(at)).email);
    const [forCompany, forNone] = [
      await signIn(at, email, { legalEntityId: company.id }),
      await signIn(at, email),
    ] as const;
    const ended = await expectEnds([forCompany], [forNone, stranger], () =>
      change(within.id, { accessControlIds: [read] }),
    );
    expect(ended).toEqual([`GROUP ${within.id}`]);
    const again = await refresh(at, forCompany.refreshToken);
    expect(again.scopes).toContain('order.order_read');
    await expectEnds([again, forNone], [stranger], () => change(everywhere.id, { accessControlIds: [update] }));
    expect((await refresh(at, forNone.refreshToken)).scopes).toContain('order.order_update');
  });

  it('that is renamed, put in another order, or filled anew with the same scopes ends nothing', async () => {
    const id = await group(read, update);
    const member = await memberOf(id);
    const sameOtherwise = await givenTemplate(at, [read, update]);
    const nothing = await givenTemplate(at, [
      (await givenControl(at, { scopes: ['cart.cart_manage'], restrictedTo: 'CUSTOMER' })).id,
    ]);
    for (const input of [
      { name: 'Renamed' },
      { accessControlIds: [update, read] },
      { accessControlIds: [read, update, read], templateIds: [] },
      { templateIds: [nothing.id] },
      { accessControlIds: [], templateIds: [sameOtherwise.id] },
      { accessControlIds: [read] },
      {},
    ])
      expect([input, await expectEnds([], [member], () => change(id, input))]).toEqual([input, []]);
  });

  it('that was not changed after all ends nothing: a failed update revokes as little as it changes', async () => {
    const id = await group(read);
    const member = await memberOf(id);
    const limited = await tokenWith(at, 'iam.group_manage');
    const revoked = await expectEnds([], [member], async () => {
      const failed = [
        await tryUpdateGroup(at, bearer, { id, accessControlIds: [update], version: 7 }),
        await tryUpdateGroup(at, bearer, { id, accessControlIds: [update], templateIds: [randomUUID()] }),
        await tryUpdateGroup(at, limited, { id, accessControlIds: [update] }),
        await tryUpdateGroup(at, limited, { id, accessControlIds: [update], name: 'x' }),
        await tryDeleteGroup(at, bearer, id),
        await tryDeleteGroup(at, limited, id, true),
      ];
      expect(failed.map(({ code }) => code)).toEqual([
        'CONFLICT',
        'BAD_USER_INPUT',
        'FORBIDDEN',
        'FORBIDDEN',
        'CONFLICT',
        'FORBIDDEN',
      ]);
    });
    expect(revoked).toEqual([]);
  });
});

describe('a deleted group', () => {
  it('ends its members’ tokens and nobody else’s; a refresh goes on without it', async () => {
    const [id, other] = [await group(read), await group(update)];
    const [member, stranger] = [await memberOf(id, other), await memberOf(other)];
    const ended = await expectEnds([member], [stranger], async () => only(await tryDeleteGroup(at, bearer, id, true)));
    expect(ended).toEqual([`GROUP ${id}`]);
    expect(await nextScopes(member)).toEqual(['order.order_update']);
  });

  it('of a company ends its members’ tokens for that company', async () => {
    const [company, other] = [await givenCompany(at), await givenCompany(at)];
    const { id: userId, email } = await givenCustomer(at, { [company.id]: null, [other.id]: null });
    const { id } = await givenGroup(at, { userType: 'CUSTOMER', legalEntityId: company.id, memberIds: [userId] });
    const tokens: CustomerToken[] = [];
    for (const legalEntityId of [company.id, other.id, null]) tokens.push(await signIn(at, email, { legalEntityId }));
    await expectEnds(tokens.slice(0, 1), tokens.slice(1), async () => only(await tryDeleteGroup(at, bearer, id, true)));
  });
});

describe('a membership', () => {
  it('that begins ends nothing, and shows with the refresh', async () => {
    const id = await group(read);
    const member = await memberOf();
    const work = async () => only(await tryAddMember(at, bearer, { groupId: id, userId: member.employee.id }));
    expect(await expectEnds([], [member], work)).toEqual([]);
    expect(member.scopes).toEqual([]);
    expect(await nextScopes(member)).toEqual(['order.order_read']);
  });

  it('that ends, ends all tokens of that person, and of nobody else in the group', async () => {
    const id = await group(read);
    const [member, colleague] = [await memberOf(id), await memberOf(id)];
    const again = await employee(at, member.employee.email);
    const userId = member.employee.id;
    const ended = await expectEnds([member, again], [colleague], async () =>
      only(await tryRemoveMember(at, bearer, { groupId: id, userId })),
    );
    expect(ended).toEqual([`PRINCIPAL employee:${userId}`]);
    expect(await nextScopes(member)).toEqual([]);
  });

  it('in a company’s group ends the tokens of that customer for that company only', async () => {
    const [company, other] = [await givenCompany(at), await givenCompany(at)];
    const { id: userId, email } = await givenCustomer(at, { [company.id]: 'BUYER', [other.id]: 'BUYER' });
    const colleague = await givenCustomer(at, { [company.id]: 'BUYER' });
    const [forCompany, forOther, forNone, colleagues] = [
      await signIn(at, email, { legalEntityId: company.id }),
      await signIn(at, email, { legalEntityId: other.id }),
      await signIn(at, email),
      await signIn(at, colleague.email, { legalEntityId: company.id }),
    ];
    const groupId = await companyGroup(at, company.id, 'BUYER');
    const ended = await expectEnds([forCompany], [forOther, forNone, colleagues], async () =>
      only(await tryRemoveMember(at, bearer, { groupId, userId, userType: 'CUSTOMER' })),
    );
    expect(ended).toEqual([`LEGAL_ENTITY_MEMBERSHIP ${company.id}:${userId}`]);
    expect((await refresh(at, forCompany.refreshToken)).legalEntity?.id).toBe(company.id);
  });

  it('in a group of customers everywhere ends all tokens of that customer', async () => {
    const company = await givenCompany(at);
    const { id: userId, email } = await givenCustomer(at, { [company.id]: null });
    const { id: groupId } = await givenGroup(at, { userType: 'CUSTOMER', memberIds: [userId] });
    const tokens = [await signIn(at, email), await signIn(at, email, { legalEntityId: company.id })];
    const ended = await expectEnds(tokens, [], async () =>
      only(await tryRemoveMember(at, bearer, { groupId, userId, userType: 'CUSTOMER' })),
    );
    expect(ended).toEqual([`PRINCIPAL customer:${userId}`]);
  });
});
