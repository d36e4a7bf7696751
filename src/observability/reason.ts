// Why something failed, in a word from the closed catalogues of errors: fit for a label, whatever was sent.

import { DomainError } from '../errors/domain-error.ts';
import { OAuthError } from '../errors/oauth-error.ts';

/** The code of a failure in lower case; `internal_server_error` for what is a bug or an outage unrecognized. */
export const reasonOf = (error: unknown): string =>
  error instanceof OAuthError || error instanceof DomainError ? error.code.toLowerCase() : 'internal_server_error';
