// Locations of legal entities.

import { notFound } from '../../errors/domain-error.ts';
import { batched } from '../../graphql/batched.ts';
import { builder } from '../../graphql/builder.ts';
import { requires } from '../../permissions/access.ts';
import { LegalEntityType, legalEntityInReach } from './legal-entities.graphql.ts';
import type { Location } from './locations.ts';

const LocationTypeEnum = builder.enumType('LocationType', {
  description: 'What is at a location.',
  values: {
    HEADQUARTER: { description: 'The headquarter.' },
    WAREHOUSE: { description: 'A warehouse.' },
    OFFICE: { description: 'An office.' },
  } as const,
});

const LocationType = builder.objectRef<Location>('Location').implement({
  description: 'Where a legal entity is.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the location.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    type: t.field({ type: LocationTypeEnum, description: 'What is there.', resolve: ({ type }) => type }),
    legalEntity: t.field({
      type: LegalEntityType,
      description: 'Whose it is.',
      access: requires('customermanagement.legalentity_read'),
      resolve: async ({ legalEntityId }, _args, ctx) => {
        const entity = legalEntityId === null ? null : await legalEntityInReach(ctx, legalEntityId);
        if (!entity) throw notFound('Legal entity');
        return entity;
      },
    }),
    city: t.exposeString('city', { nullable: true, description: 'In which city.' }),
    countryCode: t.exposeString('countryCode', { nullable: true, description: 'Two capital letters (ISO 3166).' }),
  }),
});

const locationsOf = batched<string, Location[]>((ctx, ids) => ctx.services.locations.ofCompanies(ctx, ids));

builder.objectFields(LegalEntityType, (t) => ({
  locations: t.field({
    type: [LocationType],
    description: 'Where it is, by name.',
    access: requires('customermanagement.location_read'),
    resolve: ({ id }, _args, ctx) => locationsOf(ctx, id),
  }),
}));

const CreateLocationInput = builder.inputType('CreateLocationInput', {
  description: 'A location of a legal entity.',
  fields: (t) => ({
    legalEntityId: t.id({ required: true, description: 'Whose it is.' }),
    name: t.string({ required: true, description: 'What people call it, in 1 to 100 characters.' }),
    type: t.field({ type: LocationTypeEnum, required: true, description: 'What is there.' }),
    city: t.string({ description: 'In which city, in 1 to 100 characters.' }),
    countryCode: t.string({ description: 'Two capital letters (ISO 3166).' }),
  }),
});

builder.mutationFields((t) => ({
  createLocation: t.field({
    type: LocationType,
    description: 'Adds a location to a legal entity. Errors: BAD_USER_INPUT, NOT_FOUND.',
    access: requires('customermanagement.location_manage'),
    args: { input: t.arg({ type: CreateLocationInput, required: true, description: 'The location.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.locations.create(ctx, input),
  }),
  deleteLocation: t.field({
    type: 'ID',
    description: 'Takes a location away. Errors: NOT_FOUND.',
    access: requires('customermanagement.location_manage'),
    args: { id: t.arg.id({ required: true, description: 'Which location.' }) },
    resolve: async (_root, { id }, ctx) => {
      await ctx.services.locations.delete(ctx, id);
      return id;
    },
  }),
}));
