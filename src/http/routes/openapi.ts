// GET /openapi.json: what the routes are, for machines and for people's tools, cacheable.

import { z } from 'zod';
import { open } from '../../permissions/access.ts';
import { type Cacheable, cacheable, sendCacheable, UNCHANGED } from '../cacheable.ts';
import type { Description } from '../description.ts';
import { otherRefusals } from '../oauth-answers.ts';
import { openapiOf } from '../openapi.ts';
import type { Route } from '../router.ts';

const describes: Description = {
  summary: 'This description',
  tag: 'Operation',
  answers: {
    200: { text: 'An OpenAPI 3.1 document.', schema: z.record(z.string(), z.unknown()) },
    304: UNCHANGED,
    ...otherRefusals,
  },
};

/** Describes `routes` as they are when it is first asked: this one may be among them. */
export function createOpenapiRoute(deps: { issuer: string; routes: readonly Route[] }): Route {
  let document: Cacheable | null = null;
  return {
    methods: ['GET', 'HEAD'],
    path: '/openapi.json',
    access: open,
    describes,
    handle(req, res) {
      document ??= cacheable(JSON.stringify(openapiOf(deps)));
      sendCacheable(req, res, document);
    },
  };
}
