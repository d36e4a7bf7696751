// /session-context/{tenant}/…: what a visit is about. `me`: one's own, a customer's or a guest's; by its id: anybody's,
// for back ends. Attributes come and go without a version.

import { z } from 'zod';
import { OAuthError } from '../../errors/oauth-error.ts';
import { ANONYMOUS, type SessionContexts, type Visit } from '../../modules/sessions/session-context.ts';
import type { TokenVerifier } from '../../modules/tokens/verify.ts';
import { authenticatedAs, requires } from '../../permissions/access.ts';
import type { Route } from '../router.ts';
import { type EmporixRequest, tenantRoute } from './emporix-route.ts';
import { sessionContextErrors } from './families.ts';

const text = z.string().nullish();
const own = z.object({
  siteCode: text,
  currency: text,
  targetLocation: text,
  language: text,
  context: z.unknown().optional(),
  metadata: z.object({ version: z.int32() }),
});
const anybodys = own.extend({
  cartId: text,
  customerId: text,
  metadata: z.object({ version: z.int32().nullish() }),
});
const attribute = z.object({
  key: z.string().min(1),
  value: z.unknown().refine((value) => value != null, 'An attribute has a value.'),
});

const toWire = (visit: Visit) => {
  const { sessionId, customerNumber, siteCode, currency, cartId, targetLocation, language, attributes } = visit;
  return {
    sessionId,
    customerId: customerNumber ?? ANONYMOUS,
    ...(siteCode !== null && { siteCode }),
    ...(currency !== null && { currency }),
    ...(cartId !== null && { cartId }),
    ...(targetLocation !== null && { targetLocation }),
    ...(language !== null && { language }),
    context: attributes,
    metadata: { version: visit.version, createdAt: visit.createdAt.toISOString() },
  };
};

/** All of them. */
export function createSessionContextRoutes({
  sessionContexts,
  verifier,
}: {
  sessionContexts: SessionContexts;
  verifier: Pick<TokenVerifier, 'verify'>;
}): Route[] {
  const mine = '/session-context/{tenant}/me/context';
  const any = '/session-context/{tenant}/context/{sessionId}';
  const ofOwner = { access: authenticatedAs('customer', 'anonymous'), errors: sessionContextErrors };
  const ofBackEnd = { access: requires('sessioncontext.context_manage'), errors: sessionContextErrors };

  /** Whose saas token came along; null: nobody's, or one that is no good here. */
  async function provedBy({ ctx, headers }: EmporixRequest): Promise<string | null> {
    const token = headers['saas-token'];
    if (token === undefined) return null;
    const claims = await verifier.verify(String(token), 'saas').catch((error: unknown) => {
      if (error instanceof OAuthError && error.code === 'invalid_token') return null;
      throw error;
    });
    return claims?.tenant === ctx.tenantId ? claims.sub : null;
  }

  return [
    tenantRoute({
      ...ofOwner,
      method: 'GET',
      path: mine,
      answer: async ({ ctx }) => ({ status: 200, body: toWire(await sessionContexts.own(ctx)) }),
    }),
    tenantRoute({
      ...ofOwner,
      method: 'PATCH',
      path: mine,
      says: { body: own, status: 204 },
      async answer({ ctx, body }) {
        const { metadata, context, ...change } = await body(own);
        await sessionContexts.update(ctx, metadata.version, { ...change, allAttributes: context });
        return { status: 204 };
      },
    }),
    tenantRoute({
      ...ofOwner,
      method: 'POST',
      path: `${mine}/attributes`,
      says: { body: attribute, status: 201 },
      async answer({ ctx, body }) {
        const { key, value } = await body(attribute);
        await sessionContexts.update(ctx, null, { attributes: { [key]: value } });
        return { status: 201, body: key };
      },
    }),
    tenantRoute({
      ...ofOwner,
      method: 'DELETE',
      path: `${mine}/attributes/{attributeName}`,
      says: { status: 204 },
      async answer({ ctx, params }) {
        await sessionContexts.update(ctx, null, { withoutAttribute: params.attributeName! });
        return { status: 204 };
      },
    }),
    tenantRoute({
      ...ofBackEnd,
      method: 'GET',
      path: any,
      answer: async ({ ctx, params }) => ({
        status: 200,
        body: toWire(await sessionContexts.visit(ctx, params.sessionId!)),
      }),
    }),
    tenantRoute({
      ...ofBackEnd,
      method: 'PUT',
      path: any,
      says: { body: anybodys, status: 204 },
      async answer(request) {
        const { ctx, params, query, body } = request;
        const { metadata, context, ...change } = await body(anybodys);
        await sessionContexts.updateVisit(
          ctx,
          params.sessionId!,
          { ...change, version: metadata.version, allAttributes: context },
          { provedId: await provedBy(request), makes: query.value('upsert') === 'true' },
        );
        return { status: 204 };
      },
    }),
    tenantRoute({
      ...ofBackEnd,
      method: 'POST',
      path: `${any}/attributes`,
      says: { body: attribute, status: 204 },
      async answer({ ctx, params, body }) {
        const { key, value } = await body(attribute);
        await sessionContexts.updateAttributes(ctx, params.sessionId!, { attributes: { [key]: value } });
        return { status: 204 };
      },
    }),
    tenantRoute({
      ...ofBackEnd,
      method: 'DELETE',
      path: `${any}/attributes/{attributeName}`,
      says: { status: 204 },
      async answer({ ctx, params }) {
        const { sessionId, attributeName } = params;
        await sessionContexts.updateAttributes(ctx, sessionId!, { withoutAttribute: attributeName! });
        return { status: 204 };
      },
    }),
  ];
}
