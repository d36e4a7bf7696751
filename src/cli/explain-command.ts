// `explain`: may somebody run an operation, and why. As Query.explainAccess answers it.

import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { Modules } from '../app.ts';
import type { Ctx } from '../context.ts';
import { explainOperation } from '../graphql/explain-access.ts';
import type { JsonValue } from '../graphql/scalars.ts';
import { schema } from '../graphql/schema.ts';
import type { AccessExplanation, FieldAccess } from '../permissions/explanation.ts';
import { type Cli, examples, inTenant, jsonOption, mistaken, tenantOption } from './command.ts';
import { json, table } from './terminal.ts';

interface Options {
  readonly tenant: string;
  readonly principal: string;
  readonly legalEntity?: string;
  readonly variables?: JsonValue;
  readonly json?: true;
}

/** With the id where a mail address stands. @throws BAD_USER_INPUT for an address that nobody has */
async function withId(ctx: Ctx, { customers, employees }: Modules, principal: string): Promise<string> {
  const [, kind, address] = /^(employee|customer):(.*@.*)$/s.exec(principal) ?? [];
  if (!kind || !address) return principal;
  const found = await (kind === 'employee' ? employees : customers).findByEmail(ctx, address);
  if (!found) throw mistaken(`There is no ${kind} ${address}.`);
  return `${kind}:${found.id}`;
}

const because = ({ allowed, missing, grantedBy }: FieldAccess): string =>
  allowed
    ? grantedBy.map(({ scope, source }) => `${scope} by ${source}`).join('; ')
    : missing.length > 0
      ? `lacks ${missing.join(', ')}`
      : '';

function told({ allowed, mayHaveToken, fields, minimalScopes }: AccessExplanation): string {
  const rows = fields.map((field) => [
    field.allowed ? 'yes' : 'NO',
    field.path,
    field.field,
    field.needs,
    because(field),
  ]);
  const verdict = allowed ? 'Allowed.' : 'Refused.';
  const token = mayHaveToken ? '' : ' There is no token for this principal at all.';
  const minimal = minimalScopes.length > 0 ? minimalScopes.join(' ') : 'none';
  return `${verdict}${token}\n\n${table(['may', 'path', 'field', 'needs', 'why'], rows)}\nScopes that suffice: ${minimal}\n`;
}

/** Adds it. */
export function addExplainCommand(program: Command, cli: Cli): void {
  const { terminal } = cli;
  program
    .command('explain')
    .description('say whether somebody may run a GraphQL operation, and why; it is not run')
    .argument('<operation>', 'the document, or @file')
    .addOption(tenantOption())
    .requiredOption('--principal <who>', 'employee:…, customer:… or client:…, by id or mail address')
    .option('--legal-entity <id>', 'the company that a customer acts for')
    .addOption(
      new Option('--variables <json>', 'the variables, as an object').argParser((text) => {
        try {
          return JSON.parse(text);
        } catch {
          throw mistaken('--variables: is not JSON.');
        }
      }),
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        "npm run cli -- explain '{ groups { nodes { id } } }' --tenant shop --principal employee:eve@shop.example",
        'npm run cli -- explain @query.graphql --tenant shop --principal customer:ben@mail.example --legal-entity acme',
      ),
    )
    .action(async (operation: string, { tenant, principal, legalEntity, variables, json: isJson }: Options) => {
      const document = operation.startsWith('@') ? await readFile(operation.slice(1), 'utf8') : operation;
      const explanation = await inTenant(cli, tenant, async (ctx, modules) =>
        explainOperation(schema, modules, ctx, {
          operation: document,
          variables,
          principal: await withId(ctx, modules, principal),
          legalEntityId: legalEntity,
        }),
      );
      terminal.out(isJson ? json(explanation) : told(explanation));
    });
}
