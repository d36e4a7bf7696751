// A request enters a tenant: from here on every use case and every query is bound to it.

import type { Ctx, RequestContext } from '../../context.ts';

/** No request at all, but whoever has the process and its database. `why` stands where a request's id would. */
export const asOperator = (tenantId: string, why: string): Ctx => ({
  tenantId,
  requestId: why,
  ipAddress: null,
  userAgent: null,
  principal: null,
  credential: 'operator',
});

/** The same request within `tenantId`. A bearer of another tenant counts as a rejected one. */
export const inTenant = (request: RequestContext, tenantId: string): Ctx => {
  const foreign = request.principal !== null && request.principal.tenantId !== tenantId;
  return {
    requestId: request.requestId,
    ipAddress: request.ipAddress,
    userAgent: request.userAgent,
    principal: foreign ? null : request.principal,
    credential: foreign ? 'rejected' : request.credential,
    tenantId,
  };
};
