// `sessions list | end | end-all`: who is signed in, and no longer.

import { type Command, Option } from 'commander';
import type { Modules } from '../app.ts';
import type { Ctx } from '../context.ts';
import type { Session, SessionOwner } from '../modules/sessions/sessions.ts';
import { type Cli, examples, inTenant, jsonOption, mistaken, tenantOption } from './command.ts';
import { json, table } from './terminal.ts';

interface OwnerOptions {
  readonly customer?: string;
  readonly employee?: string;
}

interface ListOptions extends OwnerOptions {
  readonly tenant: string;
  readonly limit: number;
  readonly json?: true;
}

const MOST = 10_000;

const customerOption = () =>
  new Option('--customer <who>', 'of this customer: id or mail address').conflicts('employee');
const employeeOption = () => new Option('--employee <who>', 'of this employee: id or mail address');
const limitOption = () =>
  new Option('--limit <number>', 'at most so many').default(100).argParser((text) => {
    const limit = Number(text);
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST) throw mistaken(`--limit is a number from 1 to ${MOST}.`);
    return limit;
  });

/** Whose sessions; null when nobody is named. @throws BAD_USER_INPUT for somebody who is not there */
async function ownerOf(ctx: Ctx, modules: Modules, { customer, employee }: OwnerOptions): Promise<SessionOwner | null> {
  const who = customer ?? employee;
  if (who === undefined) return null;
  const people = customer === undefined ? modules.employees : modules.customers;
  const found = who.includes('@') ? await people.findByEmail(ctx, who) : await people.find(ctx, who);
  if (!found) throw mistaken(`There is no ${customer === undefined ? 'employee' : 'customer'} ${who}.`);
  return { kind: customer === undefined ? 'employee' : 'customer', id: found.id };
}

const shown = ({ id, kind, customerId, employeeId, clientId, legalEntityId, ...session }: Session) => ({
  id,
  kind,
  ownerId: customerId ?? employeeId,
  clientId,
  legalEntityId,
  createdAt: session.createdAt,
  expiresAt: session.expiresAt,
  ipAddress: session.ipAddress,
});

/** Adds them. */
export function addSessionCommands(program: Command, cli: Cli): void {
  const { terminal } = cli;
  const sessions = program.command('sessions').description('list and end the sessions of customers and employees');

  sessions
    .command('list')
    .description('list the open sessions, newest first')
    .addOption(tenantOption())
    .addOption(customerOption())
    .addOption(employeeOption())
    .addOption(limitOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('npm run cli -- sessions list --tenant shop --customer sam@mail.example'))
    .action(async ({ tenant, limit, json: isJson, ...who }: ListOptions) => {
      const found = await inTenant(cli, tenant, async (ctx, modules) => {
        const owner = await ownerOf(ctx, modules, who);
        const filter =
          owner === null ? {} : owner.kind === 'customer' ? { customerId: owner.id } : { employeeId: owner.id };
        return modules.sessions.page(ctx, filter, { after: null, before: null, limit, inverted: false });
      });
      const rows = found.map(shown);
      const cells = rows.map((row) => [
        row.id,
        row.kind,
        row.ownerId ?? '',
        row.clientId ?? '',
        row.legalEntityId ?? '',
        row.createdAt.toISOString(),
        row.ipAddress ?? '',
      ]);
      const headings = ['id', 'kind', 'owner', 'client', 'company', 'since', 'address'];
      terminal.out(isJson ? json(rows) : table(headings, cells));
    });

  sessions
    .command('end')
    .description('end one session: its tokens are refused from now on')
    .argument('<id>', 'which session')
    .addOption(tenantOption())
    .addHelpText('after', examples('npm run cli -- sessions end Y2u… --tenant shop'))
    .action(async (id: string, { tenant }: ListOptions) => {
      await inTenant(cli, tenant, (ctx, modules) => modules.sessions.revoke(ctx, id, null));
      terminal.out(`Session ${id} has ended.\n`);
    });

  sessions
    .command('end-all')
    .description('end every session of somebody, on every device')
    .addOption(tenantOption())
    .addOption(customerOption())
    .addOption(employeeOption())
    .addHelpText('after', examples('npm run cli -- sessions end-all --tenant shop --employee eve@shop.example'))
    .action(async ({ tenant, ...who }: ListOptions) => {
      const ended = await inTenant(cli, tenant, async (ctx, modules) => {
        const owner = await ownerOf(ctx, modules, who);
        if (owner === null) throw mistaken('Say whose: --customer or --employee.');
        return modules.sessions.logoutEverywhere(ctx, owner);
      });
      terminal.out(`${ended} ${ended === 1 ? 'session has' : 'sessions have'} ended.\n`);
    });
}
