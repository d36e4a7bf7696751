// The contract of a grant: one way to obtain a token. A grant holds a whole decision, top to bottom, in one file;
// the phases that none may forget stand around it, in request-token.ts.

import type { z } from 'zod';
import type { RequestContext } from '../../context.ts';
import type { AuthenticatedClient } from '../clients/client-authentication.ts';

/** One way to obtain a token. */
export interface Grant<
  Parameters extends z.ZodType,
  Result,
  Client extends 'confidential' | 'none' = 'confidential' | 'none',
> {
  /** RFC 6749's name, or an absolute URI for an extension (s.4.5). */
  readonly grantType: string;
  /** What it accepts; everything else is dropped. */
  readonly parameters: Parameters;
  /** `confidential`: a client has to prove itself. `none`: something else proves the caller, or nothing has to. */
  readonly client: Client;
  handle(
    request: RequestContext,
    parameters: z.output<Parameters>,
    client: Client extends 'confidential' ? AuthenticatedClient : null,
  ): Promise<Result>;
}

/** What a client shows (RFC 6749 s.2.3.1). Without a secret it only names itself, as a public one does (s.3.2.1). */
export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string | null;
}

/** The name of a grant that RFC 6749 does not define. */
export const extensionGrant = (name: string): string => `urn:scopeward:grant-type:${name}`;
