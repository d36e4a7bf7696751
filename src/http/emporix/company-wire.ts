// Companies, contact assignments and locations in the platform's names. What this service only keeps (`details`) stands
// beside what it works with, as it was given.

import { z } from 'zod';
import { badInput } from '../../errors/domain-error.ts';
import type { WholeCompany } from '../../modules/companies/company-profiles.ts';
import type { ContactInFull } from '../../modules/companies/contact-lists.ts';
import type { Details } from '../../modules/companies/details.ts';
import type { LegalEntity } from '../../modules/companies/legal-entities.ts';
import type { Location } from '../../modules/companies/locations.ts';
import { groupCodes } from './iam-wire.ts';

const object = z.record(z.string(), z.unknown());

/** What every body may bring beside its own fields; a version with those that change something. */
export const document = z.object({
  id: z.string().nullish(),
  mixins: object.nullish(),
  metadata: z.object({ version: z.int32().nullish(), mixins: object.nullish() }).nullish(),
});

/** @param own what is kept of this kind of thing */
export const detailsFromWire = ({ mixins, metadata }: z.output<typeof document>, own: Details = {}): Details => ({
  ...own,
  ...(mixins && { mixins }),
  ...(metadata?.mixins && { mixinSchemas: metadata.mixins }),
});

/** Without the fields that are null: a client's word for absent. */
export const withoutNulls = (given: object): object =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));

/** A list of references, none of which this service can keep. @throws BAD_USER_INPUT unless it is empty */
export function requireNone(given: readonly unknown[] | null | undefined, field: string, why: string): void {
  if (given && given.length > 0) throw badInput(field, why);
}

const detailsOf = ({ details }: { details: unknown }) => details as Details;

const metadataOf = (row: { version: number; createdAt: Date; details: unknown }) => {
  const { mixinSchemas } = detailsOf(row);
  return {
    version: row.version,
    createdAt: row.createdAt.toISOString(),
    ...(mixinSchemas !== undefined && { mixins: mixinSchemas }),
  };
};

const given = (name: string, value: unknown) => (value == null ? {} : { [name]: value });

/** A company without what belongs to it. */
export function legalEntityToWire(entity: LegalEntity, parentId = entity.parentId) {
  const { id, name, type, accountLimitCurrency: currency, accountLimitValue: value } = entity;
  const { legalInfo, mixins } = detailsOf(entity);
  return {
    id,
    name,
    type,
    ...given('parentId', parentId),
    ...(currency !== null && value !== null && { accountLimit: { currency, value: value.toNumber() } }),
    ...given('legalInfo', legalInfo),
    ...given('mixins', mixins),
    metadata: metadataOf(entity),
  };
}

/** A company with its groups and locations. */
export const companyToWire = ({ entity, parentId, groups, locations }: WholeCompany) => ({
  ...legalEntityToWire(entity, parentId),
  customerGroups: groups.map(({ id, name, role }) => ({
    id,
    name: { en: name },
    ...given('role', role && groupCodes[role]),
  })),
  entitiesAddresses: locations.map(locationToWire),
});

/** A contact assignment with both its sides. */
export const contactToWire = (contact: ContactInFull) => ({
  id: contact.id,
  legalEntity: legalEntityToWire(contact.legalEntity),
  customer: {
    id: contact.customerId,
    ...given('name', contact.customer.firstName),
    ...given('surname', contact.customer.lastName),
    email: contact.customer.email,
  },
  type: contact.type,
  primary: contact.primary,
  ...given('mixins', detailsOf(contact).mixins),
  metadata: metadataOf(contact),
});

/** A location. */
export function locationToWire(location: Location) {
  const { id, name, type, city, countryCode } = location;
  const { contactDetails, mixins } = detailsOf(location);
  return {
    id,
    name,
    type,
    contactDetails: { ...(contactDetails as object), ...given('city', city), ...given('countryCode', countryCode) },
    ...given('mixins', mixins),
    metadata: metadataOf(location),
  };
}
