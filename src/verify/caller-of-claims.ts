// From verified claims to the caller that a service sees. Apart from caller.ts, so that the published types name no
// types of the server.

import { isOfBearer } from '../modules/tokens/kinds/saas-token.ts';
import { type Caller, saasRequired } from './caller.ts';
import type { AccessClaims } from './claims.ts';

/** The caller of a bearer token's claims. */
export function callerOfClaims(claims: Exclude<AccessClaims, { kind: 'saas' }>): Caller {
  return Object.freeze({
    kind: claims.kind,
    tenant: claims.tenant,
    id: claims.sub,
    clientId: claims.client_id,
    scopes: Object.freeze(claims.scope === '' ? [] : claims.scope.split(' ')),
    sessionId: claims.kind === 'service' ? null : claims.session_id,
    legalEntityId: claims.kind === 'customer' ? (claims.legalEntityId ?? null) : null,
    actorId: claims.kind === 'customer' ? (claims.act?.sub ?? null) : null,
    tokenId: claims.jti,
    expiresAt: new Date(claims.exp * 1000),
  });
}

/** Is a saas token of the same customer, session and company as the bearer? @throws AccessError `SAAS_TOKEN_REQUIRED` */
export function requireSameCustomer(caller: Caller, saas: AccessClaims): void {
  const { tenant, id: customerId, sessionId, legalEntityId } = caller;
  const isSame =
    saas.kind === 'saas' &&
    caller.kind === 'customer' &&
    isOfBearer(saas, { tenant, customerId, sessionId, legalEntityId });
  if (!isSame) throw saasRequired();
}
