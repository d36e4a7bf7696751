// The schema as text, with the directives that say what each field needs: graphql-js' own printer drops applied
// directives. Architecture s.6 (documentation). Invariant: the same schema always prints the same text.

import {
  type ConstDirectiveNode,
  type GraphQLField,
  type GraphQLSchema,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  Kind,
  lexicographicSortSchema,
  parse,
  parseConstValue,
  print,
  printSchema,
  visit,
} from 'graphql';
import { accessOf } from '../permissions/operation-check.ts';

/** Types, fields and arguments in alphabetical order, each field with its requirement. */
export function printSchemaWithAccess(schema: GraphQLSchema): string {
  const directives = new Map<string, ConstDirectiveNode>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type) || !(isObjectType(type) || isInterfaceType(type))) continue;
    for (const field of Object.values(type.getFields())) {
      const directive = directiveOf(field);
      if (directive) directives.set(`${type.name}.${field.name}`, directive);
    }
  }
  const document = parse(printSchema(lexicographicSortSchema(schema)));
  const withDirectives = visit(document, {
    FieldDefinition: (node, _key, _parent, _path, ancestors) => {
      const owner = ancestors.at(-1) as { name?: { value: string } } | undefined;
      const directive = directives.get(`${owner?.name?.value}.${node.name.value}`);
      return directive && { ...node, directives: [directive, ...(node.directives ?? [])] };
    },
  });
  return `${print(withDirectives)}\n`;
}

function directiveOf(field: GraphQLField<unknown, unknown>): ConstDirectiveNode | null {
  const access = accessOf(field);
  if (!access || access.kind === 'open') return null;
  const isScoped = access.kind === 'scopes';
  return {
    kind: Kind.DIRECTIVE,
    name: { kind: Kind.NAME, value: isScoped ? 'requiresScopes' : 'authenticated' },
    arguments: isScoped
      ? [
          {
            kind: Kind.ARGUMENT,
            name: { kind: Kind.NAME, value: 'scopes' },
            value: parseConstValue(JSON.stringify(access.scopes)),
          },
        ]
      : [],
  };
}
