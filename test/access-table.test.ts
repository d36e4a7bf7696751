// Who may call what, one line per root field and route. Loosening access is a visible line in a pull request.

import { expect, it } from 'vitest';
import { declaredSchema } from '../src/graphql/schema.ts';
import { describeAccess } from '../src/permissions/access.ts';
import { accessOf } from '../src/permissions/operation-check.ts';
import { theService } from './kit/service.ts';

it('every root field needs what the reviewed table says', () => {
  const roots = [declaredSchema.getQueryType(), declaredSchema.getMutationType(), declaredSchema.getSubscriptionType()];
  const table = roots.flatMap((root) =>
    Object.values(root!.getFields()).map((field) => `${root!.name}.${field.name}: ${describeAccess(accessOf(field)!)}`),
  );
  expect(table.sort()).toMatchSnapshot();
});

it('every route needs what the reviewed table says', async () => {
  const { app } = await theService();
  const table = app.routes.map(({ methods, path, access }) => {
    const need = access.kind === 'checked' ? `Checked by ${access.by}.` : describeAccess(access);
    return `${methods.join(' ')} ${path}: ${need}`;
  });
  expect(table.sort()).toMatchSnapshot();
});
