// Legal entities: the tree of companies and subsidiaries, and what an administrator does about it.

import { batched } from '../../graphql/batched.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionByName } from '../../graphql/pagination.ts';
import { requires, requiresAnyOf } from '../../permissions/access.ts';
import type { LegalEntity } from './legal-entities.ts';
import type { Money } from './money.ts';

const LegalEntityTypeEnum = builder.enumType('LegalEntityType', {
  description: 'Where a legal entity stands.',
  values: {
    COMPANY: { description: 'A company of its own.' },
    SUBSIDIARY: { description: 'Belongs to another legal entity.' },
  } as const,
});

/** Type `LegalEntity`. Whatever leads on from here to other people declares what it needs. */
export const LegalEntityType = builder.objectRef<LegalEntity>('LegalEntity').implement({
  description: 'A company, or a subsidiary of one, that customers act for.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the legal entity, in tokens too.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    type: t.field({
      type: LegalEntityTypeEnum,
      description: 'Company or subsidiary.',
      resolve: (entity) => entity.type,
    }),
    enabled: t.exposeBoolean('enabled', { description: 'Nobody can act for a disabled one.' }),
    version: t.exposeInt('version', { description: 'Goes up with each change: for `version` in an update.' }),
  }),
});

const MoneyType = builder.objectRef<Money>('Money').implement({
  description: 'An amount of money.',
  fields: (t) => ({
    currency: t.exposeString('currency', { description: 'Three capital letters (ISO 4217).' }),
    value: t.exposeString('value', { description: 'A decimal number, such as `2500.00`.' }),
  }),
});

/** Legal entities by id, as far as the caller may see them. */
export const legalEntityInReach = batched<string, LegalEntity | null>((ctx, ids) =>
  ctx.services.legalEntities.inReach(ctx, ids),
);
const subsidiariesOf = batched<string, LegalEntity[]>((ctx, ids) =>
  ctx.services.legalEntities.subsidiariesOf(ctx, ids),
);

const readsCompanies = requiresAnyOf('customermanagement.legalentity_read', 'customermanagement.legalentity_read_own');

builder.objectFields(LegalEntityType, (t) => ({
  parent: t.field({
    type: LegalEntityType,
    nullable: true,
    description: 'The legal entity that it belongs to; null: none, or none that the caller may see.',
    access: readsCompanies,
    resolve: ({ parentId }, _args, ctx) => (parentId === null ? null : legalEntityInReach(ctx, parentId)),
  }),
  subsidiaries: t.field({
    type: [LegalEntityType],
    description: 'What belongs to it directly, by name; with `_own` those that the caller is assigned to.',
    access: readsCompanies,
    resolve: ({ id }, _args, ctx) => subsidiariesOf(ctx, id),
  }),
  accountLimit: t.field({
    type: MoneyType,
    nullable: true,
    description: 'Up to what its buyers buy without approval; null: no limit, or a company that is not the caller’s.',
    access: readsCompanies,
    resolve: async ({ id, accountLimitCurrency, accountLimitValue }, _args, ctx) =>
      accountLimitCurrency !== null && accountLimitValue !== null && (await legalEntityInReach(ctx, id))
        ? {
            currency: accountLimitCurrency,
            value: accountLimitValue.toFixed(Math.max(2, accountLimitValue.decimalPlaces())),
          }
        : null,
  }),
}));

builder.queryFields((t) => ({
  legalEntities: t.connection(
    {
      type: LegalEntityType,
      description:
        'The legal entities of the tenant, by name. With `customermanagement.legalentity_read_own`: those that the caller is assigned to.',
      access: readsCompanies,
      args: {
        search: t.arg.string({ description: 'Only those with this text in name or id, in whatever case.' }),
        type: t.arg({ type: LegalEntityTypeEnum, description: 'Only companies, or only subsidiaries.' }),
        enabled: t.arg.boolean({ description: 'Only those that are, or are not, enabled.' }),
      },
      resolve: (_root, { search, type, enabled, ...args }, ctx) =>
        connectionByName('legalEntities', args, ctx.services.legalEntities.list(ctx, { search, type, enabled })),
    },
    { name: 'LegalEntityConnection', description: 'A page of legal entities.' },
    { name: 'LegalEntityEdge', description: 'A legal entity in a page.' },
  ),
  legalEntity: t.field({
    type: LegalEntityType,
    nullable: true,
    description: "One legal entity; null when there is none of that id, or not in the caller's reach.",
    access: readsCompanies,
    args: { id: t.arg.id({ required: true, description: 'Which legal entity.' }) },
    resolve: (_root, { id }, ctx) => legalEntityInReach(ctx, id),
  }),
}));

const MoneyInput = builder.inputType('MoneyInput', {
  description: 'An amount of money.',
  fields: (t) => ({
    currency: t.string({ required: true, description: 'Three capital letters (ISO 4217).' }),
    value: t.string({ required: true, description: 'From 0, with at most 15 digits and 4 decimals.' }),
  }),
});

const CreateLegalEntityInput = builder.inputType('CreateLegalEntityInput', {
  description: 'A company, or with a parent a subsidiary.',
  fields: (t) => ({
    id: t.id({ description: '1 to 66 letters, digits, hyphens or underscores. Absent: one is chosen.' }),
    name: t.string({ required: true, description: 'What people call it, in 1 to 100 characters.' }),
    type: t.field({ type: LegalEntityTypeEnum, description: 'Goes without saying: a subsidiary has a parent.' }),
    parentId: t.id({ description: 'The legal entity that it belongs to.' }),
    accountLimit: t.field({ type: MoneyInput, description: 'Up to what its buyers buy without approval.' }),
  }),
});

const UpdateLegalEntityInput = builder.inputType('UpdateLegalEntityInput', {
  description: 'What is to change of a legal entity; what is absent stays.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which legal entity.' }),
    name: t.string({ description: 'What people call it, in 1 to 100 characters.' }),
    parentId: t.id({ description: 'The legal entity that it belongs to from now on; null: to none.' }),
    enabled: t.boolean({ description: 'False: every token for it is refused at once.' }),
    accountLimit: t.field({ type: MoneyInput, description: 'Up to what its buyers buy; null: no limit.' }),
    version: t.int({ description: 'The version that was read: CONFLICT `STALE_VERSION` when it is another by now.' }),
  }),
});

builder.mutationFields((t) => ({
  createLegalEntity: t.field({
    type: LegalEntityType,
    description:
      'Makes a legal entity with its four groups: Admin, Buyer, Requester and Contact. Errors: BAD_USER_INPUT, CONFLICT `LEGAL_ENTITY_EXISTS`.',
    access: requires('customermanagement.legalentity_manage'),
    args: { input: t.arg({ type: CreateLegalEntityInput, required: true, description: 'The legal entity.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.legalEntities.create(ctx, input),
  }),
  updateLegalEntity: t.field({
    type: LegalEntityType,
    description:
      'Changes a legal entity. Moved to another parent, contacts by inheritance move with it. Errors: NOT_FOUND, BAD_USER_INPUT also for a parent that is below it, CONFLICT `STALE_VERSION`.',
    access: requires('customermanagement.legalentity_manage'),
    args: { input: t.arg({ type: UpdateLegalEntityInput, required: true, description: 'The change.' }) },
    resolve: (_root, { input: { id, ...change } }, ctx) => ctx.services.legalEntities.update(ctx, id, change),
  }),
  deleteLegalEntity: t.field({
    type: 'ID',
    description:
      'Deletes a legal entity with its groups, contacts and locations; the audit trail says how many. Every token for it is refused at once. Errors: NOT_FOUND, CONFLICT `HAS_SUBSIDIARIES`.',
    access: requires('customermanagement.legalentity_manage'),
    args: { id: t.arg.id({ required: true, description: 'Which legal entity.' }) },
    resolve: async (_root, { id }, ctx) => {
      await ctx.services.legalEntities.delete(ctx, id);
      return id;
    },
  }),
}));
