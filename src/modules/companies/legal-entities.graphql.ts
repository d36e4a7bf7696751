// Legal entities as the schema shows them.

import { builder } from '../../graphql/builder.ts';
import type { LegalEntity } from './legal-entities.ts';

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
  }),
});
