// How the things of Customer Management are written, which is the same for all: made with an id of the client's choice or
// of ours, put whether or not they were there, and deleted.

import type { z } from 'zod';
import type { Ctx } from '../../context.ts';
import type { Access } from '../../permissions/access.ts';
import type { ErrorRenderer } from '../oauth-response.ts';
import type { Route } from '../router.ts';
import { tenantRoute } from './emporix-route.ts';

interface Writing<Body extends z.ZodType> {
  readonly all: string;
  /** The path's parameter that names one of them. */
  readonly parameter: string;
  readonly body: Body;
  readonly access: Access;
  readonly errors: { readonly list: ErrorRenderer; readonly one: ErrorRenderer };
  create(ctx: Ctx, input: z.output<Body>): Promise<{ readonly id: string }>;
  /** Resolves with whether it was made. */
  put(ctx: Ctx, id: string, input: z.output<Body>): Promise<boolean>;
  delete(ctx: Ctx, id: string): Promise<unknown>;
}

/** POST, PUT and DELETE: 201 with the id of what was made, 204 for what was there. */
export function writingRoutes<Body extends z.ZodType>(writing: Writing<Body>): Route[] {
  const { all, parameter, body: schema, access, errors } = writing;
  const one = `${all}/{${parameter}}`;
  return [
    tenantRoute({
      method: 'POST',
      path: all,
      says: { body: schema, status: 201 },
      access,
      errors: errors.list,
      async answer({ ctx, body }) {
        const { id } = await writing.create(ctx, await body(schema));
        return { status: 201, body: { id } };
      },
    }),
    tenantRoute({
      method: 'PUT',
      path: one,
      says: { body: schema, status: 204 },
      access,
      errors: errors.one,
      async answer({ ctx, params, body }) {
        const id = params[parameter]!;
        const isNew = await writing.put(ctx, id, await body(schema));
        return isNew ? { status: 201, body: { id } } : { status: 204 };
      },
    }),
    tenantRoute({
      method: 'DELETE',
      path: one,
      says: { status: 204 },
      access,
      errors: errors.one,
      async answer({ ctx, params }) {
        await writing.delete(ctx, params[parameter]!);
        return { status: 204 };
      },
    }),
  ];
}
