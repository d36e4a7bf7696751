// What IAM's objects look like on the wire. Texts are maps by language there and one text here: it is told as English,
// and of what is sent the English one is kept, or the first. What this service does not have is left out.

import { z } from 'zod';
import type { AccessControl } from '../../modules/iam/access-controls.ts';
import type { Permission, Resource } from '../../modules/iam/actions.ts';
import type { Group } from '../../modules/iam/groups.ts';
import { type Member, typeOfMember } from '../../modules/iam/members.ts';
import type { Role } from '../../modules/iam/roles.ts';
import type { ScopeEntry } from '../../modules/scopes/custom-scopes.ts';

const LANGUAGE = 'en';

/** A text as it is told, in whatever language the reader has asked for. */
export const localized = (text: string) => ({ [LANGUAGE]: text });

/** A text as it is sent: by language, or as it is. */
export const localizedInput = z
  .union([z.string(), z.record(z.string(), z.string())])
  .transform((given) => (typeof given === 'string' ? given : (given[LANGUAGE] ?? Object.values(given)[0] ?? '')));

/** A type of user, in whatever case. */
export const userTypeInput = z
  .string()
  .transform((given) => given.toUpperCase())
  .pipe(z.enum(['EMPLOYEE', 'CUSTOMER'], { error: 'One of EMPLOYEE and CUSTOMER.' }));

/** The version that was read. */
export const metadataInput = z.object({ version: z.int().nullish() }).nullish();

/** What would narrow rights on the platform and has no meaning here: passing over it would give more than is wanted. */
export const unsupported = (what: string, absent: false | '' = '') =>
  z.literal(absent, { error: `${what} not supported here.` }).nullish();

/** Codes of the four groups that a company comes with. */
export const groupCodes = {
  ADMIN: 'B2B_ADMIN',
  BUYER: 'B2B_BUYER',
  REQUESTER: 'B2B_REQUESTER',
  CONTACT: 'CONTACT',
} as const;

const b2bRoles = { ADMIN: 'Admin', BUYER: 'Buyer', REQUESTER: 'Requester', CONTACT: 'Contact' } as const;

/** What users show of their groups. */
export const groupSummary = ({ id, name, userType, role }: Group) => ({
  id,
  name: localized(name),
  ...(role !== null && { code: groupCodes[role] }),
  userType,
});

/** A group. `contents`: what the reader may know of what it gives. */
export const groupDocument = (group: Group, contents: { accessControls?: string[]; templates?: string[] }) => ({
  ...groupSummary(group),
  ...contents,
  ...(group.legalEntityId !== null && {
    b2b: { legalEntityId: group.legalEntityId, ...(group.role !== null && { role: b2bRoles[group.role] }) },
  }),
  metadata: { version: group.version, createdAt: group.createdAt.toISOString() },
});

/** `expanded`: what is shown of its role and resource beside their ids. */
export const accessControlDocument = (
  { id, name, roleId, resourceId, restrictedTo, predefined }: AccessControl,
  scopes: readonly string[],
  expanded: { role?: object; resource?: object },
) => ({
  id,
  name: localized(name),
  scopes,
  ...(roleId !== null && { roleId }),
  ...(resourceId !== null && { resourceId }),
  ...expanded,
  ...(restrictedTo !== null && { restrictedTo }),
  predefined,
});

/** A scope, with its service for a domain. */
export const scopeDocument = ({ id, description, service, custom }: ScopeEntry) => ({
  id,
  description: localized(description),
  domain: service,
  predefined: !custom,
});

/** A role. `showsPermissions`: may the reader know of them? */
export const roleDocument = ({ id, name, actions }: Role, showsPermissions: boolean) => ({
  id,
  name: localized(name),
  ...(showsPermissions && { permissions: actions.map((action) => ({ id: action })) }),
});

/** An action that roles allow. */
export const permissionDocument = ({ id, action, description }: Permission) => ({
  id,
  code: action,
  name: localized(action),
  description: localized(description),
});

/** What roles are applied to. */
export const resourceDocument = ({ id, name, description }: Resource) => ({
  id,
  code: id,
  name: localized(name),
  description: localized(description),
});

/** An assignment has no id of its own: it is what it joins. */
export const assignmentId = (groupId: string, userId: string) => `${groupId}:${userId}`;

/** Somebody in a group. */
export const assignmentDocument = (groupId: string, member: Member) => ({
  id: assignmentId(groupId, member.id),
  groupId,
  userId: member.id,
  userType: typeOfMember(member).toUpperCase(),
});

/** A person. The platform insists on texts that this service does not have: they are empty. */
export const userDocument = (member: Member, groups: readonly Group[], isExpanded: boolean) => ({
  id: member.id,
  firstName: member.firstName ?? '',
  lastName: member.lastName ?? '',
  contactEmail: member.email,
  backofficeUserNumber: 'customerNumber' in member ? '' : member.id,
  preferredSite: '',
  preferredCurrency: '',
  preferredLanguage: '',
  department: '',
  validFrom: member.createdAt.toISOString(),
  isAccountLocked: !member.enabled,
  status: 'unconfirmed' in member && member.unconfirmed ? 'PROVISIONED' : 'ACTIVE',
  groupIds: groups.map(({ id }) => id),
  ...(isExpanded && { groups: groups.map(groupSummary) }),
});
