// A tenant's access as a file: custom scopes, roles, access controls, templates and groups, each by its id.
// Invariant: a file is read whole or refused, and everything that is wrong with it is told by its path in the file.

import { z } from 'zod';
import { badInput } from '../../errors/domain-error.ts';
import { CHOSEN_ID, ID_RULE } from '../administration/editing.ts';

/** What a file has, in the order in which one thing refers to another. */
export const kinds = ['customScopes', 'roles', 'accessControls', 'templates', 'groups'] as const;

/** A section of a file. */
export type Kind = (typeof kinds)[number];

const id = z.string().regex(CHOSEN_ID);
const name = z.string().trim().min(1).max(100);
const some = z.array(z.string()).min(1).max(500);
const few = z.array(z.string()).max(500);
const userType = z.enum(['EMPLOYEE', 'CUSTOMER']);

const entries = {
  customScopes: z.strictObject({ description: z.string().trim().min(1).max(500) }),
  roles: z.strictObject({ name, permissionIds: some }),
  accessControls: z
    .strictObject({
      name,
      roleId: z.string().optional(),
      resourceId: z.string().optional(),
      scopes: some.optional(),
      restrictedTo: userType.optional(),
    })
    .refine(({ roleId, resourceId, scopes }) => (scopes ? !roleId && !resourceId : roleId && resourceId), {
      error: 'either roleId and resourceId, or scopes',
    }),
  templates: z.strictObject({ name, accessControlIds: some }),
  groups: z.strictObject({
    name,
    userType,
    legalEntityId: z.string().optional(),
    accessControlIds: few,
    templateIds: few,
    // Mail addresses. Absent: the group keeps its members.
    employees: z.array(z.string()).optional(),
  }),
} satisfies Record<Kind, z.ZodType>;

/** Entries by id. The one name that zod passes over in silence is refused as well. */
const section = <Key extends z.ZodString, Entry extends z.ZodType>(key: Key, entry: Entry) =>
  z
    .preprocess(
      (value, { issues }) => {
        if (typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__'))
          issues.push({ code: 'custom', input: value, path: ['__proto__'], message: ID_RULE });
        return value;
      },
      z.record(key, entry),
    )
    .optional();

const file = z.strictObject({
  version: z.literal(1),
  customScopes: section(z.string(), entries.customScopes),
  roles: section(id, entries.roles),
  accessControls: section(id, entries.accessControls),
  templates: section(id, entries.templates),
  groups: section(id, entries.groups),
});

/** What a section has by id. */
export type EntryOf = { readonly [In in Kind]: z.infer<(typeof entries)[In]> };

/** All that a tenant has of its own. */
export type Access = { readonly version: 1 } & { readonly [In in Kind]: Readonly<Record<string, EntryOf[In]>> };

/** A file. A section that is absent is not spoken of: what the tenant has of it stays. */
export type AccessFile = Pick<Access, 'version'> & { readonly [In in Kind]?: Access[In] | undefined };

/** Something that is wrong, and where. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Where something stands in a file, as one would write it. */
export const pathOf = (path: readonly PropertyKey[]): string => z.core.toDotPath([...path]);

const MOST_TOLD = 20;

/** @throws BAD_USER_INPUT telling all problems, if there are any */
export function refuse(problems: readonly Problem[]): void {
  const [first] = problems;
  if (!first) return;
  const told = problems.slice(0, MOST_TOLD).map(({ path, message }) => `  ${pathOf(path) || 'the file'}: ${message}`);
  const more = problems.length > MOST_TOLD ? [`  and ${problems.length - MOST_TOLD} more`] : [];
  throw badInput(pathOf(first.path), ['The file is refused, and nothing is changed.', ...told, ...more].join('\n'));
}

/** @throws BAD_USER_INPUT for what does not have the shape of a file */
export function parseAccessFile(content: unknown): AccessFile {
  const parsed = file.safeParse(content);
  if (!parsed.success)
    refuse(parsed.error.issues.map((issue) => (issue.code === 'invalid_key' ? { ...issue, message: ID_RULE } : issue)));
  return parsed.data!;
}
