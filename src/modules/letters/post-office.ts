// Everything about letters, put together.

import type { Database } from '../../database/database.ts';
import type { Mail } from '../../mail/mail.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { createLetterTokens } from './letter-tokens.ts';
import { createLetters } from './letters.ts';
import { createPostman } from './postman.ts';
import type { Links } from './texts.ts';
import { createWriting } from './writing.ts';

/** Letters, the secrets of their links, and who brings them. */
export function createPostOffice(deps: {
  database: Database;
  links: Links;
  logger: { warn(facts: object, message: string): void };
  mail: Mail;
  tenants: Tenants;
}) {
  const { database, links, logger, mail, tenants } = deps;
  const letterTokens = createLetterTokens({ database, tenants });
  const postman = createPostman({ database, logger, mail, tenants, write: createWriting({ letterTokens, links }) });
  return { letters: createLetters({ mail, wakePostman: postman.wake }), letterTokens, postman };
}
