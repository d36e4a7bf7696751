// Registering, changing and deleting clients, and rotating their secrets.
// Invariant: nobody gives a client more than they hold, nor a secret to what has more (security.md case 98); a secret is
// returned once and stored as a digest; of a client at most two secrets are good.

import { randomBytes } from 'node:crypto';
import type { Ctx } from '../../context.ts';
import { badInput, conflict, notFound } from '../../errors/domain-error.ts';
import type { Administer, Change } from '../administration/administration.ts';
import { requireCurrent, requireName } from '../administration/editing.ts';
import { recordAudit } from '../audit/audit.ts';
import { clientKey } from '../revocations/revocation-key.ts';
import type { ScopeCatalogue } from '../scopes/custom-scopes.ts';
import { missingToDelegate, requireHeld } from '../scopes/delegation.ts';
import { digestOfSecret, generateClientSecret } from './client-secret.ts';
import type { Client, ClientKind } from './clients.ts';
import { FIRST_PARTY_CLIENT } from './first-party.ts';

/** What a client is made from. */
export interface NewClient {
  /** Absent: a random one. */
  readonly id?: string;
  readonly name: string;
  readonly kind: ClientKind;
  readonly scopes: readonly string[];
  /** Excludes `scopes`. */
  readonly everyScope?: boolean | null | undefined;
  /** Absent: a random one. Public clients have none. */
  readonly clientSecret?: string;
}

/** What can be changed of one. Absent and null: it stays. */
export interface ClientChange {
  readonly name?: string | null | undefined;
  /** All that it has from then on. */
  readonly scopes?: readonly string[] | null | undefined;
  readonly everyScope?: boolean | null | undefined;
  readonly enabled?: boolean | null | undefined;
  readonly version?: number | null | undefined;
}

const CLIENT_ID = /^[A-Za-z0-9_-]{3,64}$/;
const LONGEST_OVERLAP_SECONDS = 30 * 86_400;

const byId = (ctx: { tenantId: string }, id: string) => ({ tenantId_id: { tenantId: ctx.tenantId, id } });

async function requireClient(change: Change, id: string): Promise<Client> {
  const found = await change.tx.client.findUnique({ where: byId(change, id) });
  if (!found) throw notFound('Client');
  return found;
}

/** What the trail tells of a client. */
const told = ({ name, kind, scopes, everyScope, enabled }: Client) => ({ name, kind, scopes, everyScope, enabled });

/** Use cases of those who administer clients. */
export function createClientAdministration(deps: {
  administer: Administer;
  scopes: ScopeCatalogue;
  scopesOf: (client: Client) => readonly string[];
}) {
  const { administer, scopes, scopesOf } = deps;

  /** What a client of this kind can have. @throws BAD_USER_INPUT */
  function requireFitting(ctx: Ctx, kind: ClientKind, named: readonly string[], everyScope: boolean) {
    const known = scopes.requireKnown(ctx, named, 'input.scopes');
    if (everyScope && known.length > 0) throw badInput('input.everyScope', 'Either every scope, or those of a list.');
    if (kind === 'STOREFRONT' && (everyScope || known.length > 0)) {
      throw badInput(everyScope ? 'input.everyScope' : 'input.scopes', 'A storefront has no scopes of its own.');
    }
    return { scopes: known, everyScope };
  }

  return {
    /**
     * Makes a client. Its secret is returned here and never again; a storefront has none.
     * @throws BAD_USER_INPUT, CONFLICT `CLIENT_EXISTS`, FORBIDDEN for scopes that the caller lacks
     */
    register(ctx: Ctx, input: NewClient): Promise<{ client: Client; clientSecret: string | null }> {
      const { id = `cl_${randomBytes(16).toString('base64url')}`, kind, everyScope } = input;
      if (!CLIENT_ID.test(id) || id === FIRST_PARTY_CLIENT)
        throw badInput('input.id', 'A client id has 3 to 64 letters, digits, hyphens or underscores.');
      const name = requireName(input.name);
      const clientSecret = kind === 'STOREFRONT' ? null : (input.clientSecret ?? generateClientSecret());
      return administer(ctx, async (change) => {
        const { tx, tenantId } = change;
        const given = requireFitting(change, kind, input.scopes, everyScope ?? false);
        const [client] = await tx.client.createManyAndReturn({
          data: [{ tenantId, id, name, kind, ...given }],
          skipDuplicates: true,
        });
        if (!client) throw conflict('CLIENT_EXISTS', 'There is a client of that id.');
        requireHeld(change, scopesOf(client));
        if (clientSecret !== null) {
          await tx.clientSecret.create({ data: { tenantId, clientId: id, digest: digestOfSecret(clientSecret) } });
        }
        await recordAudit(tx, change, {
          type: 'client.created',
          subject: { kind: 'client', id },
          details: { after: told(client) },
        });
        return { client, clientSecret };
      });
    },

    /**
     * Changes a client. Where its scopes change, or it is disabled, its tokens from before are refused: it has to ask
     * again. Enabling one hands out all that it has.
     * @throws NOT_FOUND, BAD_USER_INPUT, CONFLICT `STALE_VERSION`, FORBIDDEN for scopes that the caller lacks
     */
    update(ctx: Ctx, id: string, input: ClientChange): Promise<Client> {
      const name = input.name == null ? undefined : requireName(input.name);
      return administer(ctx, async (change) => {
        const found = await requireClient(change, id);
        requireCurrent(found, input.version);
        // A list ends `everyScope`, unless both are said; that there is a list and every scope, is refused.
        const everyScope = input.everyScope ?? (input.scopes == null && found.everyScope);
        const named = input.scopes ?? (everyScope ? [] : found.scopes);
        const given =
          input.scopes == null && input.everyScope == null ? {} : requireFitting(change, found.kind, named, everyScope);
        const enabled = input.enabled ?? found.enabled;
        const [before, after] = [scopesOf(found), scopesOf({ ...found, ...given })];
        // Every scope is more than all that there are: what is defined later comes with it.
        const isEverythingNew = (enabled && !found.enabled) || (everyScope && !found.everyScope);
        requireHeld(change, isEverythingNew ? after : missingToDelegate(before, after));
        const client = await change.tx.client.update({
          where: byId(change, id),
          data: { ...(name === undefined ? {} : { name }), ...given, enabled, version: { increment: 1 } },
        });
        await recordAudit(change.tx, change, {
          type: 'client.updated',
          subject: { kind: 'client', id },
          details: { before: told(found), after: told(client) },
        });
        const isOther = before.join(' ') !== after.join(' ');
        if (isOther || (found.enabled && !enabled)) change.revoke('client.updated', [clientKey(id)]);
        return client;
      });
    },

    /**
     * A new secret, returned here and never again. The last one goes on for `keepPreviousFor` seconds; any older one, and
     * without that time the last one too, is refused from now on. Tokens go on: a secret is not what they rest on.
     * @throws NOT_FOUND, BAD_USER_INPUT, CONFLICT `PUBLIC_CLIENT`, FORBIDDEN for scopes of the client that the caller lacks
     */
    rotateSecret(ctx: Ctx, id: string, keepPreviousFor = 0): Promise<{ client: Client; clientSecret: string }> {
      if (keepPreviousFor < 0 || keepPreviousFor > LONGEST_OVERLAP_SECONDS)
        throw badInput('keepPreviousFor', `Between 0 and ${LONGEST_OVERLAP_SECONDS} seconds.`);
      const clientSecret = generateClientSecret();
      return administer(ctx, async (change) => {
        const { tx, tenantId } = change;
        const client = await requireClient(change, id);
        if (client.kind === 'STOREFRONT') throw conflict('PUBLIC_CLIENT', 'A storefront has no secret.');
        requireHeld(change, scopesOf(client));
        const isKept = keepPreviousFor > 0;
        await tx.clientSecret.deleteMany({ where: { clientId: id, ...(isKept ? { expiresAt: { not: null } } : {}) } });
        // What is left is the last one. Its end is compared with this clock, too.
        if (isKept) {
          const expiresAt = new Date(Date.now() + keepPreviousFor * 1000);
          await tx.clientSecret.updateMany({ where: { clientId: id }, data: { expiresAt } });
        }
        await tx.clientSecret.create({ data: { tenantId, clientId: id, digest: digestOfSecret(clientSecret) } });
        await recordAudit(tx, change, {
          type: 'client.secret_rotated',
          subject: { kind: 'client', id },
          details: { keepPreviousFor },
        });
        return { client, clientSecret };
      });
    },

    /** Deletes a client with its secrets and the sessions of its customers; its tokens are refused. @throws NOT_FOUND */
    delete(ctx: Ctx, id: string): Promise<void> {
      return administer(ctx, async (change) => {
        const found = await requireClient(change, id);
        await change.tx.client.delete({ where: byId(change, id) });
        await recordAudit(change.tx, change, {
          type: 'client.deleted',
          subject: { kind: 'client', id },
          details: { before: told(found) },
        });
        change.revoke('client.deleted', [clientKey(id)]);
      });
    },
  };
}
