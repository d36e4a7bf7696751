// Pothos plugin: `access` beside the field it guards. Architecture s.6; product.md s.3.
// Invariants: no root field without a declaration (a compile error, and a start-up error if types are bypassed);
// no type redeclares an interface's field with less than the interface asks for.

import SchemaBuilder, {
  BasePlugin,
  type FieldNullability,
  type InputFieldMap,
  type PothosOutputFieldConfig,
  type SchemaTypes,
  type TypeParam,
} from '@pothos/core';
import {
  DirectiveLocation,
  GraphQLDirective,
  GraphQLList,
  GraphQLNonNull,
  GraphQLSchema,
  GraphQLString,
  isInterfaceType,
  isObjectType,
} from 'graphql';
import { satisfies } from '../modules/scopes/matching.ts';
import { type Access, describeAccess } from '../permissions/access.ts';
import { accessOf } from '../permissions/operation-check.ts';

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      access: PothosAccessPlugin<Types>;
    }
    export interface QueryFieldOptions<
      Types extends SchemaTypes,
      Type extends TypeParam<Types>,
      Nullable extends FieldNullability<Type>,
      Args extends InputFieldMap,
      ResolveReturnShape,
    > {
      /** What the caller needs. Required: whoever wants a public field writes `open`. */
      access: Access;
    }
    export interface MutationFieldOptions<
      Types extends SchemaTypes,
      Type extends TypeParam<Types>,
      Nullable extends FieldNullability<Type>,
      Args extends InputFieldMap,
      ResolveReturnShape,
    > {
      /** What the caller needs. Required: whoever wants a public field writes `open`. */
      access: Access;
    }
    export interface SubscriptionFieldOptions<
      Types extends SchemaTypes,
      Type extends TypeParam<Types>,
      Nullable extends FieldNullability<Type>,
      Args extends InputFieldMap,
      ResolveShape,
      ResolveReturnShape,
    > {
      /** What the caller needs. Required: whoever wants a public field writes `open`. */
      access: Access;
    }
    export interface ObjectFieldOptions<
      Types extends SchemaTypes,
      ParentShape,
      Type extends TypeParam<Types>,
      Nullable extends FieldNullability<Type>,
      Args extends InputFieldMap,
      ResolveReturnShape,
    > {
      /** What the caller needs on top of what led here. */
      access?: Access;
    }
    export interface InterfaceFieldOptions<
      Types extends SchemaTypes,
      ParentShape,
      Type extends TypeParam<Types>,
      Nullable extends FieldNullability<Type>,
      Args extends InputFieldMap,
      ResolveReturnShape,
    > {
      /** What the caller needs on top of what led here; every type that implements the field inherits it. */
      access?: Access;
    }
  }
}

const directiveLocations = [
  DirectiveLocation.FIELD_DEFINITION,
  DirectiveLocation.OBJECT,
  DirectiveLocation.INTERFACE,
  DirectiveLocation.ENUM,
  DirectiveLocation.SCALAR,
];
const stringList = new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(GraphQLString)));

/** The directives that print what a field needs, in the spelling of Apollo's federation. */
export const accessDirectives: readonly GraphQLDirective[] = [
  new GraphQLDirective({
    name: 'requiresScopes',
    description:
      'What the field needs: outer list = any of, inner list = all of. No directive on a root field means public.',
    locations: directiveLocations,
    args: {
      scopes: {
        type: new GraphQLNonNull(new GraphQLList(stringList)),
        description: 'Any of these lists, all of its scopes.',
      },
    },
  }),
  new GraphQLDirective({
    name: 'authenticated',
    description: 'Any valid access token, whatever its scopes.',
    locations: directiveLocations,
  }),
];

/** Does `own` ask for at least what `inherited` asks for? */
export function isAtLeast(own: Access | undefined, inherited: Access): boolean {
  if (inherited.kind === 'open') return true;
  if (!own || own.kind === 'open') return false;
  if (inherited.kind === 'authenticated') {
    const { principals } = inherited;
    if (!principals) return true;
    return (
      own.kind === 'authenticated' &&
      own.principals !== null &&
      own.principals.every((kind) => principals.includes(kind))
    );
  }
  if (own.kind !== 'scopes') return false;
  return own.scopes.every((all) => inherited.scopes.some((wanted) => wanted.every((scope) => satisfies(all, scope))));
}

/** The type must have the name of the plugin in `Plugins`. */
export class PothosAccessPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    const { access } = field.pothosOptions as { access?: Access };
    if (!access) return field;
    const sentence = describeAccess(access);
    return {
      ...field,
      description: field.description ? `${field.description}\n\n${sentence}` : sentence,
      extensions: { ...field.extensions, access },
    };
  }

  override afterBuild(schema: GraphQLSchema): GraphQLSchema {
    const faults = [...findUndeclaredRootFields(schema), ...findWeakenedFields(schema)];
    if (faults.length > 0) throw new Error(`The schema leaves fields unguarded:\n${faults.join('\n')}`);
    const config = schema.toConfig();
    return new GraphQLSchema({ ...config, directives: [...config.directives, ...accessDirectives] });
  }
}

function findUndeclaredRootFields(schema: GraphQLSchema): string[] {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  return roots.flatMap((root) =>
    Object.values(root?.getFields() ?? {})
      .filter((field) => !accessOf(field))
      .map((field) => `${root?.name}.${field.name} has no access`),
  );
}

function findWeakenedFields(schema: GraphQLSchema): string[] {
  const faults: string[] = [];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const parent of type.getInterfaces()) {
      for (const declared of Object.values(parent.getFields())) {
        const inherited = accessOf(declared);
        const own = accessOf(type.getFields()[declared.name]);
        if (inherited && !isAtLeast(own, inherited)) {
          faults.push(`${type.name}.${declared.name} asks for less than ${parent.name}.${declared.name}`);
        }
      }
    }
  }
  return faults;
}

SchemaBuilder.registerPlugin('access', PothosAccessPlugin);
