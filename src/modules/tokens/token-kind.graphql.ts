// The kinds of token as the schema names them.

import { builder } from '../../graphql/builder.ts';

/** Enum `TokenKind`. */
export const TokenKindEnum = builder.enumType('TokenKind', {
  description: 'What a token stands for.',
  values: {
    SERVICE: { description: 'A client acting for itself.' },
    EMPLOYEE: { description: 'An employee.' },
    ANONYMOUS: { description: "A guest's visit." },
    CUSTOMER: { description: 'A customer, perhaps acting for a company.' },
    SAAS: { description: "The customer's proof for checkout, beside the access token." },
    REFRESH: { description: 'Obtains new tokens; grants nothing by itself.' },
  } as const,
});
