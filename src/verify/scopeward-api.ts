// What the verifier asks of Scopeward in GraphQL: a service token of its own (RFC 6749 s.4.4), kept until shortly
// before it ends, and the number of the last revocation. Invariant: the token is of the tenant that is verified for.

import { decodeJwt } from 'jose';
import { fetchText } from './limited-fetch.ts';

const ISSUE = `mutation ($input: IssueServiceTokenInput!) {
  issueServiceToken(input: $input) { accessToken expiresIn }
}`;
const LATEST = '{ latestRevocation }';

/** Seconds before its end that a token counts as spent; a fifth of its life where that is less. */
const RENEW_SECONDS = 60;

/** An error of Scopeward's catalogue. */
export class ScopewardError extends Error {
  readonly code: string;
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(error: GraphQLFailure) {
    super(`Scopeward: ${error.message}`);
    this.name = 'ScopewardError';
    this.extensions = error.extensions ?? {};
    this.code = String(this.extensions.code);
  }
}

/** Is it no more than that the token has ended? */
export const isUnauthenticated = (error: unknown): boolean =>
  error instanceof ScopewardError && error.code === 'UNAUTHENTICATED';

/** An error as GraphQL has it on the wire. */
export interface GraphQLFailure {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** A GraphQL answer, or one event of a stream. */
export interface GraphQLAnswer<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly GraphQLFailure[];
}

/** The data of an answer. @throws ScopewardError */
export function dataOf<Data>({ data, errors }: GraphQLAnswer<Data>): Data {
  if (errors?.[0]) throw new ScopewardError(errors[0]);
  if (!data) throw new Error('Scopeward answered neither data nor errors.');
  return data;
}

/** The client of one tenant at this address. */
export function createScopewardApi(deps: {
  url: string;
  tenant: string;
  client: { readonly id: string; readonly secret: string };
  stopping: AbortSignal;
}) {
  const { tenant, client, stopping } = deps;
  const endpoint = `${deps.url}/graphql`;
  let issuing: Promise<string> | undefined;
  let held: { readonly token: string; readonly until: number } | null = null;

  const request = (query: string, variables: object, bearer: string | null, accept = 'application/json') => ({
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: accept,
      ...(bearer !== null && { Authorization: `Bearer ${bearer}` }),
    },
    body: JSON.stringify({ query, variables }),
  });

  async function ask<Data>(query: string, variables: object, bearer: string | null): Promise<Data> {
    const { text } = await fetchText(endpoint, request(query, variables, bearer), stopping);
    return dataOf<Data>(JSON.parse(text));
  }

  async function issue(): Promise<string> {
    const input = { clientId: client.id, clientSecret: client.secret, scopes: ['oauth.revocation_read'] };
    type Issued = { issueServiceToken: { accessToken: string; expiresIn: number } };
    const { accessToken, expiresIn } = (await ask<Issued>(ISSUE, { input }, null)).issueServiceToken;
    const { tenant: issuedFor } = decodeJwt(accessToken);
    if (issuedFor !== tenant) throw new Error(`The client ${client.id} is not of the tenant ${tenant}.`);
    const seconds = expiresIn - Math.min(RENEW_SECONDS, expiresIn / 5);
    held = { token: accessToken, until: performance.now() + seconds * 1000 };
    return accessToken;
  }

  function token(): Promise<string> {
    if (held && performance.now() < held.until) return Promise.resolve(held.token);
    issuing ??= issue().finally(() => {
      issuing = undefined;
    });
    return issuing;
  }

  /** A token that is refused, or ends meanwhile, is not shown again; once, another is tried. */
  async function withToken<Result>(use: (bearer: string) => Promise<Result>): Promise<Result> {
    const bearer = await token();
    try {
      return await use(bearer);
    } catch (error) {
      if (!isUnauthenticated(error)) throw error;
      if (held?.token === bearer) held = null;
      return use(await token());
    }
  }

  return {
    endpoint,
    withToken,
    request,

    /** Number of the tenant's last revocation, as Scopeward's database has it now. */
    latestRevocation: (): Promise<number> =>
      withToken(async (bearer) => (await ask<{ latestRevocation: number }>(LATEST, {}, bearer)).latestRevocation),
  };
}

/** See `createScopewardApi`. */
export type ScopewardApi = ReturnType<typeof createScopewardApi>;
