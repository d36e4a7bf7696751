// POST /oauth/token (RFC 6749 s.3.2): client credentials (s.4.4), refreshing (s.6) and token exchange (RFC 8693). Each
// entry maps the names of the wire onto one grant; what is decided is decided there.

import { z } from 'zod';
import { DomainError } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { ClientAuthentication } from '../../modules/clients/client-authentication.ts';
import type { ClientCredentials } from '../../modules/grants/grant.ts';
import type { Grants } from '../../modules/grants/index.ts';
import type { RequestToken } from '../../modules/grants/request-token.ts';
import { parseScopeList } from '../../modules/scopes/grammar.ts';
import type { Description } from '../description.ts';
import { malformed } from '../http-error.ts';
import { clientRefusals } from '../oauth-answers.ts';
import { clientFields, type Form, formOf, type OauthRequest, oauthEndpoint } from '../oauth-endpoint.ts';
import type { Route } from '../router.ts';
import { sessionAnswer, sessionResponse, tokenAnswer, tokenResponse } from '../token-response.ts';

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:';
/** RFC 8693 s.3. */
const SUBJECT_TOKEN_TYPES = ['access_token', 'id_token', 'jwt'].map((name) => TOKEN_TYPE + name);
const ISSUED_TOKEN_TYPES = ['access_token', 'jwt'].map((name) => TOKEN_TYPE + name);
const USER_TYPES = { customer: 'CUSTOMER', employee: 'EMPLOYEE' } as const;

/** What the endpoint takes, for the metadata (RFC 8414 s.2). */
export const grantTypes = ['client_credentials', 'refresh_token', TOKEN_EXCHANGE] as const;

const company = z.string().optional().describe('Absent keeps the company, without a value leaves it, an id switches.');

const describes: Description = {
  summary: 'Get a token',
  tag: 'OAuth',
  authentication: ['client', 'clientInBody'],
  body: formOf(
    z.union([
      z
        .object({ grant_type: z.literal('client_credentials'), scope: z.string().optional(), ...clientFields })
        .meta({ id: 'ClientCredentialsRequest', description: 'RFC 6749 s.4.4.2.' }),
      z
        .object({
          grant_type: z.literal('refresh_token'),
          refresh_token: z.string(),
          legal_entity_id: company,
          ...clientFields,
        })
        .meta({ id: 'RefreshRequest', description: 'RFC 6749 s.6.' }),
      z
        .object({
          grant_type: z.literal(TOKEN_EXCHANGE),
          provider: z.string().describe('The identity provider, by its id.'),
          subject_token: z.string(),
          subject_token_type: z.enum(SUBJECT_TOKEN_TYPES),
          requested_token_type: z.enum(ISSUED_TOKEN_TYPES).optional(),
          user_type: z.enum(['customer', 'employee']).default('customer').optional(),
          anonymous_token: z.string().optional().describe("A guest's, whose session goes on."),
          audience: z.string().optional(),
          resource: z.string().optional(),
          legal_entity_id: company,
          ...clientFields,
        })
        .meta({ id: 'TokenExchangeRequest', description: 'RFC 8693 s.2.1.' }),
    ]),
  ),
  answers: {
    200: { text: 'The token, and of people the session.', schema: z.union([sessionAnswer, tokenAnswer]) },
    ...clientRefusals,
  },
};

type Answer = (request: OauthRequest, client: ClientCredentials) => Promise<object>;

const isOneOf = <Name extends string>(names: Record<Name, unknown>, name: string): name is Name =>
  Object.hasOwn(names, name);

/** The company: absent keeps it, without a value leaves it, an id switches to it. */
const companyIn = (form: Form): { legalEntityId?: string | null } => {
  const id = form.given('legal_entity_id');
  return id === undefined ? {} : { legalEntityId: id === '' ? null : id };
};

/** @throws HttpError `invalid_request`, OAuthError `invalid_target` */
function requireExchange(form: Form, audience: string): void {
  if (form.given('actor_token') !== undefined || form.given('actor_token_type') !== undefined)
    throw malformed('Delegation by actor_token is not offered.');
  if (!SUBJECT_TOKEN_TYPES.includes(form.need('subject_token_type')))
    throw malformed('The subject_token_type is not one that is taken.');
  if (!ISSUED_TOKEN_TYPES.includes(form.value('requested_token_type') ?? ISSUED_TOKEN_TYPES[0]!))
    throw malformed('The requested_token_type is not one that is issued.');
  for (const name of ['audience', 'resource'])
    if ((form.value(name) ?? audience) !== audience) throw new OAuthError('invalid_target');
}

/** RFC 8693 s.2.2.2: a token that is presented and not good is a bad request, and so is the guest's beside it. */
function asExchangeRefusal(error: unknown): never {
  const isOfToken =
    (error instanceof OAuthError && (error.code === 'invalid_grant' || error.code === 'invalid_token')) ||
    (error instanceof DomainError && error.code === 'UNAUTHENTICATED');
  if (!isOfToken) throw error;
  throw new OAuthError('invalid_request', { message: 'A token presented is not valid.', cause: error.cause });
}

/** The token endpoint. */
export function createTokenRoute(deps: {
  audience: string;
  clientAuthentication: ClientAuthentication;
  grants: Grants;
  requestToken: RequestToken;
}): Route {
  const { audience, clientAuthentication, grants, requestToken } = deps;

  const answers: Record<(typeof grantTypes)[number], Answer> = {
    async client_credentials({ context, form }, client) {
      const scope = form.value('scope');
      const named = scope === undefined ? {} : { scopes: parseScopeList(scope) };
      const parameters = { ...named, refusedScopes: 'omit' as const };
      return tokenResponse(await requestToken(context, grants.clientCredentials, parameters, client));
    },

    async refresh_token({ context, form }, client) {
      const refreshToken = form.need('refresh_token');
      const { clientId } = await clientAuthentication.presented(context, client);
      const parameters = { refreshToken, clientId, ...companyIn(form) };
      return sessionResponse(await requestToken(context, grants.refreshAny, parameters));
    },

    async [TOKEN_EXCHANGE]({ context, form }, presented) {
      const { clientId, client } = await clientAuthentication.presented(context, presented);
      if (!client) throw new OAuthError('unauthorized_client');
      requireExchange(form, audience);
      const userType = form.value('user_type') ?? 'customer';
      if (!isOneOf(USER_TYPES, userType)) throw malformed('The user_type is customer or employee.');
      const anonymousToken = form.value('anonymous_token');
      const parameters = {
        tenant: client.tenantId,
        clientId,
        provider: form.need('provider'),
        userType: USER_TYPES[userType],
        subjectToken: form.need('subject_token'),
        ...(anonymousToken === undefined ? {} : { anonymousToken }),
        ...companyIn(form),
      };
      const tokens = await requestToken(context, grants.tokenExchange, parameters).catch(asExchangeRefusal);
      return { ...sessionResponse(tokens), issued_token_type: ISSUED_TOKEN_TYPES[0] };
    },
  };

  return oauthEndpoint('/oauth/token', 'the grant', describes, async (request) => {
    const grantType = request.form.need('grant_type');
    if (!isOneOf(answers, grantType)) throw new OAuthError('unsupported_grant_type');
    if (!request.presented) throw new OAuthError('invalid_client', { cause: 'no client authentication' });
    return answers[grantType](request, request.presented);
  });
}
