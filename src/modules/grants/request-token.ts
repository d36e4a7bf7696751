// The phases around every grant (RFC 6749 s.3.2, s.4.4.2, s.5.2). Every door calls this: GraphQL, OAuth, REST.
// 1 parameters, undeclared ones dropped; 2 client authentication; 3 may the client use the grant; 4 the grant.

import type { z } from 'zod';
import type { RequestContext } from '../../context.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { ClientAuthentication } from '../clients/client-authentication.ts';
import type { ClientCredentials, Grant } from './grant.ts';

/** Runs a grant, and returns or throws what it does. */
type WatchGrant = <T>(grantType: string, run: () => Promise<T>) => Promise<T>;

/** The one entrance to all grants. `watch` sees each from its first phase to its last. */
export function createRequestToken(deps: { clientAuthentication: ClientAuthentication; watch?: WatchGrant }) {
  const { clientAuthentication, watch = (_grantType, run) => run() } = deps;

  const parse = <Parameters extends z.ZodType>(schema: Parameters, given: unknown): z.output<Parameters> => {
    const parsed = schema.safeParse(given);
    if (parsed.success) return parsed.data;
    const [first] = parsed.error.issues;
    throw new OAuthError('invalid_request', {
      message: `${first!.path.join('.')}: ${first!.message}`,
      details: { field: first!.path.join('.') },
    });
  };

  async function authenticated(request: RequestContext, credentials: ClientCredentials | undefined) {
    if (!credentials) throw new OAuthError('invalid_client', { cause: 'no client authentication' });
    const { client, rev } = await clientAuthentication.presented(request, credentials);
    if (!client || client.kind === 'STOREFRONT') throw new OAuthError('unauthorized_client');
    return { client, rev };
  }

  /** Runs one grant. @throws OAuthError, DomainError */
  return function requestToken<Parameters extends z.ZodType, Result, Client extends 'confidential' | 'none'>(
    request: RequestContext,
    grant: Grant<Parameters, Result, Client>,
    parameters: z.input<Parameters>,
    credentials?: ClientCredentials,
  ): Promise<Result> {
    return watch(grant.grantType, async () => {
      const accepted = parse(grant.parameters, parameters);
      const client = grant.client === 'confidential' ? await authenticated(request, credentials) : null;
      return grant.handle(request, accepted, client as never);
    });
  };
}

/** See `createRequestToken`. */
export type RequestToken = ReturnType<typeof createRequestToken>;
