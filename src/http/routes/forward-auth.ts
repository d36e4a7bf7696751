// /forward-auth: may the request that a gateway holds pass, and as whose? Any method, from memory alone (product.md
// section 8). Invariants: nothing of the original request counts but its bearer and its saas token; a refusal says its
// status and nothing else; and where it can't be told whether a token was revoked, nothing passes.

import type { ServerResponse } from 'node:http';
import { forbidden, serviceUnavailable } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { Principal } from '../../modules/principals/principal.ts';
import type { Revocations } from '../../modules/revocations/revocations.ts';
import type { IdentityAssertions } from '../../modules/tokens/assert-identity.ts';
import { isOfBearer } from '../../modules/tokens/kinds/saas-token.ts';
import { createRecent } from '../../modules/tokens/recent.ts';
import type { TokenVerifier } from '../../modules/tokens/verify.ts';
import type { Logger } from '../../observability/logger.ts';
import { decide } from '../../permissions/access.ts';
import type { Description } from '../description.ts';
import { type GatewayCheck, type GatewayQuery, readGatewayQuery } from '../gateway-query.ts';
import { HttpError } from '../http-error.ts';
import { carriesIdentity, headersOf, type IdentityHeaders, nobody } from '../identity-headers.ts';
import { type ErrorRenderer, errorHeaders, errorStatus } from '../oauth-response.ts';
import { sizes } from '../request-guards.ts';
import { checkedBy, type Route } from '../router.ts';

/** A gateway's configuration has a handful. */
const MOST_QUERIES = 256;

/** Gateways know three refusals; what is none of them is closed all the same. */
const refuse: ErrorRenderer = (error) => {
  const status = errorStatus(error);
  const known = status === 401 || status === 403 ? status : status >= 500 ? 503 : 403;
  return { status: known, headers: errorHeaders(error), body: null };
};

const describes: Description = {
  summary: 'May the request that a gateway holds pass, and as whose?',
  tag: 'Gateways',
  authentication: ['bearer', 'none'],
  parameters: [
    { name: 'scope', in: 'query', text: 'Scopes that are needed, all of them.' },
    { name: 'any', in: 'query', text: 'Scopes of which one is needed, separated by commas.' },
    { name: 'saas', in: 'query', text: "`required`: with a saas token of the bearer's own." },
    { name: 'optional', in: 'query', text: "`true`: without a bearer it passes, as nobody's." },
    { name: 'saas-token', in: 'header', text: 'Where it is required.' },
  ],
  answers: {
    200: { text: 'It may. Every header of identity is there, empty where there is nothing to say.' },
    401: { text: 'No bearer, or one that is not good.' },
    403: { text: 'It may not, or the check was not understood.' },
    503: { text: 'It cannot be told: nothing may pass.' },
  },
};

/** All that is said. */
type Passed = IdentityHeaders & { readonly 'Content-Length': '0' };

const passed = (identity: IdentityHeaders): Passed => ({ ...identity, 'Content-Length': '0' });

const passedAsNobody = passed(nobody);

const send = (res: ServerResponse, said: Passed) => void res.writeHead(200, said).end();

/** `strict`: requests that carry headers of identity are refused, for gateways that do not delete them at the edge. */
export function createForwardAuthRoute(deps: {
  identityAssertions: IdentityAssertions;
  logger: Logger;
  revocations: Pick<Revocations, 'isStale'>;
  strict: boolean;
  verifier: TokenVerifier;
}): Route {
  const { identityAssertions, logger, revocations, strict, verifier } = deps;
  const queries = createRecent<GatewayQuery>(MOST_QUERIES);
  /** By the principal: its headers stay the same as long as its assertion does. */
  const answered = new WeakMap<Principal, Passed>();

  /** @throws HttpError 403 for what is not understood; the log says so once, or a gateway's mistake would fill it */
  function checkOf(query: string): GatewayCheck {
    let known = queries.get(query);
    if (!known) {
      known = readGatewayQuery(query);
      queries.set(query, known);
      if ('fault' in known)
        logger.warn({ fault: known.fault }, 'A gateway asks /forward-auth for what it does not know.');
    }
    if ('fault' in known) throw new HttpError(403, 'access_denied', 'The check is not understood.');
    return known.check;
  }

  /** @throws SERVICE_UNAVAILABLE */
  async function hasSaas(principal: Principal, saasToken: string | string[] | undefined): Promise<boolean> {
    if (principal.kind !== 'customer' || typeof saasToken !== 'string') return false;
    const saas = await verifier.verify(saasToken, 'saas').catch((error) => {
      if (error instanceof OAuthError) return null;
      throw error;
    });
    return saas !== null && isOfBearer(saas, { ...principal, tenant: principal.tenantId });
  }

  async function passedAs(principal: Principal, withSaas: boolean): Promise<Passed> {
    const assertion = await identityAssertions.of(principal, withSaas);
    const last = answered.get(principal);
    if (last?.['X-Identity-Assertion'] === assertion) return last;
    const said = passed(headersOf(principal, assertion));
    answered.set(principal, said);
    return said;
  }

  return {
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    path: '/forward-auth',
    access: checkedBy('the query that the gateway is configured with'),
    describes,
    refuse,
    async handle(req, res, call) {
      const check = checkOf(call.query);
      // Node drops what comes after the most headers that it reads: there may be one among them.
      const isUnread = req.rawHeaders.length >= sizes.headerCount * 2;
      if (strict && (isUnread || carriesIdentity(req.rawHeaders)))
        throw new HttpError(403, 'access_denied', 'The request carries a header of identity.');
      if (revocations.isStale()) throw serviceUnavailable('the revocation feed is stale');

      // A preflight carries no credentials (Fetch s.4.8), so whatever it carries here is nobody's.
      const { principal, credential } =
        req.method === 'OPTIONS' ? { principal: null, credential: 'none' } : await call.authenticate();
      if (!principal) {
        if (!check.optional || credential === 'rejected') throw new OAuthError('invalid_token');
        return send(res, passedAsNobody);
      }
      for (const need of check.needs) {
        const decision = decide(need, principal);
        if (!decision.allowed) throw forbidden(decision.required, decision.missing);
      }
      if (check.saas && !(await hasSaas(principal, req.headers['saas-token']))) throw forbidden([], []);
      send(res, await passedAs(principal, check.saas));
    },
  };
}
