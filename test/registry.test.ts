// Holds every line of scopes/registry.ts against schema.graphql, in both directions. As long as there is no
// schema.graphql, no field asks for anything, and every scope has to be external.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConstDirectiveNode, parse, valueFromASTUntyped, visit } from 'graphql';
import { describe, expect, it } from 'vitest';
import { isScope } from '../src/modules/scopes/grammar.ts';
import { builtInScopes, isBuiltInScope, registry } from '../src/modules/scopes/registry.ts';

const root = join(import.meta.dirname, '..');
const registryPath = 'src/modules/scopes/registry.ts';
const schemaPath = join(root, 'schema.graphql');

/** What the schema's directives require, and what descriptions of fields and arguments name, as rules of use cases do. */
function scopesOf(sdl: string): { required: Set<string>; described: Set<string> } {
  const required = new Set<string>();
  const described = new Set<string>();
  const collect = (directives: readonly ConstDirectiveNode[] = []) => {
    for (const { name, arguments: values = [] } of directives) {
      if (name.value !== 'requiresScopes') continue;
      for (const { value } of values)
        for (const scope of (valueFromASTUntyped(value) as string[][]).flat()) required.add(scope);
    }
  };
  const describe = (text = '') => {
    for (const [, scope] of text.matchAll(/`([^`\s]+)`/g)) if (scope) described.add(scope);
  };
  if (sdl.trim()) {
    visit(parse(sdl), {
      FieldDefinition: (node) => {
        collect(node.directives);
        describe(node.description?.value);
      },
      InputValueDefinition: (node) => describe(node.description?.value),
      ObjectTypeDefinition: (node) => collect(node.directives),
      InterfaceTypeDefinition: (node) => collect(node.directives),
      EnumTypeDefinition: (node) => collect(node.directives),
      ScalarTypeDefinition: (node) => collect(node.directives),
    });
  }
  return { required, described };
}

/** One sentence per line of the registry that has to change. */
function corrections(sdl: string, source: string): string[] {
  const { required, described } = scopesOf(sdl);
  const lines = source.split('\n');
  const at = (scope: string) =>
    `${registryPath}:${lines.findIndex((line) => line.trimStart().startsWith(`'${scope}':`)) + 1}`;
  const found: string[] = [];
  for (const scope of builtInScopes) {
    const { external, legacy, description } = registry[scope];
    const marked = `${legacy ? 'legacy' : 'external'}('${description}')`;
    if (external && required.has(scope)) {
      found.push(
        `${at(scope)}: a field of schema.graphql requires it. Write  '${scope}': '${description}',  without ${marked}.`,
      );
    }
    if (!external && !required.has(scope) && !described.has(scope)) {
      found.push(
        `${at(scope)}: no field of schema.graphql asks for it. Write  '${scope}': ${marked.replace(/^legacy/, 'external')},`,
      );
    }
  }
  for (const scope of required) {
    if (!isBuiltInScope(scope))
      found.push(`${registryPath}: schema.graphql requires '${scope}', which has no line. Add one.`);
  }
  return found;
}

describe.each(builtInScopes)('%s', (scope) => {
  it('is a well-formed scope', () => expect(isScope(scope)).toBe(true));

  it('is described by one sentence', () => {
    expect(registry[scope].description).toMatch(/^[A-Z][^.!?]{7,}(?:\.[a-z_-]+[^.!?]*)?\.$/);
  });
});

describe('the registry', () => {
  it('says of each scope whether a field of the schema asks for it, or other services do', () => {
    const sdl = existsSync(schemaPath) ? readFileSync(schemaPath, 'utf8') : '';
    const source = readFileSync(join(root, registryPath), 'utf8');
    const found = corrections(sdl, source);
    expect(found, `\n${found.join('\n')}\n`).toEqual([]);
  });

  it('is sorted, tells built-in scopes from others, and from the names that every object has', () => {
    expect(builtInScopes).toEqual([...new Set(builtInScopes)].sort());
    expect(isBuiltInScope('order.order_read')).toBe(true);
    for (const stranger of ['order.order_readall', 'constructor', '__proto__', 'toString', ''])
      expect(isBuiltInScope(stranger)).toBe(false);
  });
});

describe('the comparison', () => {
  const source = `\n  'order.order_read': external('…'),`;

  it('names the line of an external scope that a field requires', () => {
    const sdl = 'type Query { a: Int @requiresScopes(scopes: [["iam.group_read", "order.order_read"], ["x.y"]]) }';
    const found = corrections(sdl, source);
    expect(found).toContain(
      `${registryPath}:2: a field of schema.graphql requires it. Write  'order.order_read': '${registry['order.order_read'].description}',  without external('${registry['order.order_read'].description}').`,
    );
    expect(found).toContain(`${registryPath}: schema.graphql requires 'x.y', which has no line. Add one.`);
  });

  it('reads directives of fields and types, and descriptions only where they quote a whole scope', () => {
    const sdl = `
      directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION | OBJECT
      "Not \`a.type\`." type T @requiresScopes(scopes: [["on.type"]]) { "Needs \`on.field\`, not x.y." f("Needs \`on.argument\`." a: Int): Int }`;
    expect(scopesOf(sdl)).toEqual({ required: new Set(['on.type']), described: new Set(['on.field', 'on.argument']) });
  });
});
