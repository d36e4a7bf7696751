// The schema: every *.graphql.ts declares its types on the builder when it is imported; the rule tree goes around the
// result. What is served, printed and tested is this one.

import '../modules/audit/audit-events.graphql.ts';
import '../modules/clients/clients.graphql.ts';
import '../modules/companies/contact-assignments.graphql.ts';
import '../modules/companies/legal-entities.graphql.ts';
import '../modules/companies/locations.graphql.ts';
import '../modules/grants/authentication.graphql.ts';
import '../modules/grants/sso.graphql.ts';
import '../modules/iam/access-controls.graphql.ts';
import '../modules/iam/group-members.graphql.ts';
import '../modules/iam/groups.graphql.ts';
import '../modules/iam/roles.graphql.ts';
import '../modules/iam/scope-definitions.graphql.ts';
import '../modules/iam/templates.graphql.ts';
import '../modules/keys/keys.graphql.ts';
import '../modules/principals/customers.graphql.ts';
import '../modules/principals/email-change.graphql.ts';
import '../modules/principals/employees.graphql.ts';
import '../modules/principals/password-change.graphql.ts';
import '../modules/principals/password-reset.graphql.ts';
import '../modules/principals/principals.graphql.ts';
import '../modules/revocations/revocations.graphql.ts';
import '../modules/scopes/scopes.graphql.ts';
import '../modules/sessions/session-context.graphql.ts';
import '../modules/sessions/sessions.graphql.ts';
import '../modules/sso/identity-providers.graphql.ts';
import '../modules/tenants/tenants.graphql.ts';
import '../modules/tokens/tokens.graphql.ts';
import './explain-access.ts';
import { isInterfaceType, isObjectType } from 'graphql';
import { accessOf } from '../permissions/operation-check.ts';
import { applyRuleTree } from '../permissions/rule-tree.ts';
import { builder } from './builder.ts';

/** The schema with its access declarations, before the rule tree. */
export const declaredSchema = builder.toSchema();

/** The schema that is served. */
export const schema = applyRuleTree(declaredSchema);

const fieldsByScope = new Map<string, string[]>();
for (const type of Object.values(declaredSchema.getTypeMap())) {
  if (!isObjectType(type) && !isInterfaceType(type)) continue;
  for (const field of Object.values(type.getFields())) {
    const access = accessOf(field);
    if (access?.kind !== 'scopes') continue;
    for (const scope of new Set(access.scopes.flat())) {
      fieldsByScope.set(scope, [...(fieldsByScope.get(scope) ?? []), `${type.name}.${field.name}`].sort());
    }
  }
}

/** The fields, as `Type.field`, that declare a scope. */
export const fieldsRequiring = (scope: string): readonly string[] => fieldsByScope.get(scope) ?? [];
