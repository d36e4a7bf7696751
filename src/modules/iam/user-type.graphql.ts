// The two types of people.

import { builder } from '../../graphql/builder.ts';

/** Enum `UserType`. */
export const UserTypeEnum = builder.enumType('UserType', {
  description: 'Which kind of people.',
  values: {
    EMPLOYEE: { description: 'Those who work for the merchant.' },
    CUSTOMER: { description: 'Shoppers, buyers of companies among them.' },
  } as const,
});
