// Identity providers of a tenant, as an administrator sees to them. Invariants: secrets are sealed and never shown; who
// lets a provider vouch for people holds all that those people can get by it.

import { randomUUID } from 'node:crypto';
import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { keyset, type List } from '../../database/keyset.ts';
import { badInput, conflict, notFound } from '../../errors/domain-error.ts';
import type { Administer, Change } from '../administration/administration.ts';
import { requireCurrent, requireFew, requireName } from '../administration/editing.ts';
import { recordAudit } from '../audit/audit.ts';
import type { EntitlementsOf } from '../iam/entitlements.ts';
import { requireHeld } from '../scopes/delegation.ts';
import type { GroupsByClaim } from './groups-by-claim.ts';
import type { ProviderConnections } from './provider-connections.ts';

/** A provider as it is stored. */
export type IdentityProvider = Awaited<ReturnType<TenantClient['identityProvider']['findFirstOrThrow']>>;

type UserType = IdentityProvider['userTypes'][number];

/** What can be said of one at any time. */
interface Settings {
  readonly redirectUris?: readonly string[] | null | undefined;
  readonly audience?: string | null | undefined;
  readonly autoProvision?: boolean | null | undefined;
  readonly groupClaim?: string | null | undefined;
  readonly emailClaim?: string | null | undefined;
  readonly firstNameClaim?: string | null | undefined;
  readonly lastNameClaim?: string | null | undefined;
  readonly subjectTokens?: IdentityProvider['subjectTokens'] | undefined;
  readonly clientSecret?: string | null | undefined;
}

/** What a provider is made from. */
export interface NewIdentityProvider extends Settings {
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly userTypes: readonly UserType[];
  readonly redirectUris: readonly string[];
}

/** What can be changed of one: whom it may vouch for, and who it is, stays. */
export interface IdentityProviderChange extends Settings {
  readonly name?: string | null | undefined;
  readonly enabled?: boolean | null | undefined;
  readonly version?: number | null | undefined;
}

/** Without a query too, which openid-client does not send back. @throws BAD_USER_INPUT for what is no absolute http URL,
 * or has a fragment (RFC 6749 s.3.1.2) */
function requireRedirectUris(uris: readonly string[]): string[] {
  const some = requireFew(uris, 'input.redirectUris');
  uris.forEach((uri, place) => {
    const url = URL.canParse(uri) ? new URL(uri) : null;
    const isBare = url?.username === '' && !/[?#]/.test(uri);
    const isFit = isBare && /^https?:$/.test(url.protocol) && url.href === uri;
    if (!isFit || uri.length > 500)
      throw badInput(
        `input.redirectUris.${place}`,
        'An absolute http(s) URL as browsers write it, without query or fragment.',
      );
  });
  return some;
}

/** @throws BAD_USER_INPUT for what is no issuer (OpenID Connect Discovery 1.0 s.3) */
function requireIssuer(issuer: string): string {
  const url = URL.canParse(issuer) ? new URL(issuer) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '' || url.username !== '')
    throw badInput('input.issuer', 'The URL that the provider names as its issuer.');
  return issuer;
}

const CLAIM = /^[\x21-\x7e]{1,100}$/;

/** What is given of the settings, checked. */
function settingsOf(input: Settings) {
  for (const name of ['groupClaim', 'emailClaim', 'firstNameClaim', 'lastNameClaim'] as const)
    if (input[name] != null && !CLAIM.test(input[name])) throw badInput(`input.${name}`, 'The name of a claim.');
  const { redirectUris, audience, autoProvision, groupClaim, emailClaim, firstNameClaim, lastNameClaim } = input;
  return {
    ...(redirectUris == null ? {} : { redirectUris: requireRedirectUris(redirectUris) }),
    ...(audience === undefined ? {} : { audience }),
    ...(autoProvision == null ? {} : { autoProvision }),
    ...(groupClaim === undefined ? {} : { groupClaim }),
    ...(emailClaim == null ? {} : { emailClaim }),
    ...(firstNameClaim == null ? {} : { firstNameClaim }),
    ...(lastNameClaim == null ? {} : { lastNameClaim }),
    ...(input.subjectTokens === undefined ? {} : { subjectTokens: input.subjectTokens }),
  };
}

/** What the trail tells of one. */
const told = ({
  name,
  issuer,
  clientId,
  userTypes,
  redirectUris,
  autoProvision,
  groupClaim,
  enabled,
}: IdentityProvider) => ({
  name,
  issuer,
  clientId,
  userTypes,
  redirectUris,
  autoProvision,
  groupClaim,
  enabled,
});

/** Use cases of identity providers. */
export function createIdentityProviders(deps: {
  administer: Administer;
  database: Database;
  entitlements: EntitlementsOf;
  groupsByClaim: GroupsByClaim;
  providerConnections: ProviderConnections;
}) {
  const { administer, database, entitlements, groupsByClaim, providerConnections } = deps;
  const byId = (ctx: { tenantId: string }, id: string) => ({ tenantId_id: { tenantId: ctx.tenantId, id } });

  /** @throws FORBIDDEN for scopes of people of these types that the caller lacks */
  async function requireTrustworthy(change: Change, userTypes: readonly UserType[]): Promise<void> {
    const groups = await change.tx.group.findMany({
      where: { userType: { in: [...userTypes] } },
      select: { id: true },
    });
    const ids = groups.map(({ id }) => id);
    const given = await entitlements.ofGroups(change.tx, change, ids);
    const everybodys = userTypes.includes('CUSTOMER') ? entitlements.ofEveryCustomer(change.tenantId) : [];
    requireHeld(change, [...everybodys, ...given.flat()]);
  }

  return {
    /** The providers, by name. */
    list(ctx: Ctx): List<IdentityProvider> {
      const { identityProvider } = database.forTenant(ctx);
      return {
        page(window) {
          const { where, ...page } = keyset(window, ['name', 'id']);
          return identityProvider.findMany({ where, ...page });
        },
        count: () => identityProvider.count(),
      };
    },

    /** One that is enabled for people of this type; null otherwise. */
    async findFor(ctx: { tenantId: string }, id: string, userType: UserType): Promise<IdentityProvider | null> {
      const found = await database.forTenant(ctx).identityProvider.findUnique({ where: byId(ctx, id) });
      return found?.enabled && found.userTypes.includes(userType) ? found : null;
    },

    /** The one of that name, or without a name the only one, that exchanges tokens for customers. @throws BAD_USER_INPUT */
    async exchangingFor(ctx: Ctx, name: string | null): Promise<IdentityProvider> {
      const found = await database.forTenant(ctx).identityProvider.findMany({
        where: {
          enabled: true,
          subjectTokens: { not: null },
          userTypes: { has: 'CUSTOMER' },
          ...(name === null ? {} : { name }),
        },
        take: 2,
      });
      if (found.length !== 1) throw badInput('config', 'Not the name of one provider that exchanges tokens.');
      return found[0]!;
    },

    /** The only one that customers come back from to this address: where it is another's too, nobody can tell whose code
     * comes back (RFC 9700 s.4.4). @throws BAD_USER_INPUT */
    async returningTo(ctx: Ctx, redirectUri: string): Promise<IdentityProvider> {
      const found = await database.forTenant(ctx).identityProvider.findMany({
        where: { enabled: true, userTypes: { has: 'CUSTOMER' }, redirectUris: { has: redirectUri } },
        take: 2,
      });
      if (found.length !== 1) throw badInput('redirect_uri', 'Not a redirect URI of exactly one provider.');
      return found[0]!;
    },

    /** Connects a provider, after a look at it. @throws BAD_USER_INPUT, CONFLICT `NAME_TAKEN`, SERVICE_UNAVAILABLE
     * `IDENTITY_PROVIDER_UNREACHABLE`, FORBIDDEN for scopes of the people it vouches for that the caller lacks */
    async create(ctx: Ctx, input: NewIdentityProvider): Promise<IdentityProvider> {
      const name = requireName(input.name);
      const issuer = requireIssuer(input.issuer);
      const clientId = requireName(input.clientId, 'input.clientId');
      const userTypes = [...new Set(input.userTypes)].sort();
      if (userTypes.length === 0) throw badInput('input.userTypes', 'Whom may it vouch for?');
      const settings = settingsOf(input);
      const { tenantId } = ctx;
      const id = randomUUID();
      const clientSecret = input.clientSecret ?? null;
      // Before anything is asked for somebody who may not connect it, and again when it is made.
      await administer(ctx, (change) => requireTrustworthy(change, userTypes));
      await providerConnections.probe({ tenantId, id, issuer, clientId, version: 0, clientSecret });
      const sealedSecret =
        clientSecret === null ? null : providerConnections.sealSecret({ tenantId, id }, clientSecret);
      return administer(ctx, async (change) => {
        await requireTrustworthy(change, userTypes);
        const [provider] = await change.tx.identityProvider.createManyAndReturn({
          data: [{ ...settings, tenantId, id, name, issuer, clientId, userTypes, sealedSecret }],
          skipDuplicates: true,
        });
        if (!provider) throw conflict('NAME_TAKEN', 'There is a provider of that name.');
        await recordAudit(change.tx, change, {
          type: 'identity_provider.created',
          subject: { kind: 'identity_provider', id },
          details: { after: told(provider) },
        });
        return provider;
      });
    },

    /** @throws NOT_FOUND, BAD_USER_INPUT, CONFLICT `NAME_TAKEN` or `STALE_VERSION`, FORBIDDEN as `create` when it comes to
     * vouch for more */
    update(ctx: Ctx, id: string, input: IdentityProviderChange): Promise<IdentityProvider> {
      const name = input.name == null ? undefined : requireName(input.name);
      const settings = settingsOf(input);
      return administer(ctx, async (change) => {
        const { tx, tenantId } = change;
        const found = await tx.identityProvider.findUnique({ where: byId(ctx, id) });
        if (!found) throw notFound('Identity provider');
        requireCurrent(found, input.version);
        if (name !== undefined && (await tx.identityProvider.count({ where: { name, id: { not: id } } })) > 0)
          throw conflict('NAME_TAKEN', 'There is a provider of that name.');
        const vouchesForMore =
          (input.enabled === true && !found.enabled) ||
          Object.entries(settings).some(
            ([field, value]) => JSON.stringify(found[field as keyof IdentityProvider]) !== JSON.stringify(value),
          );
        if (vouchesForMore) await requireTrustworthy(change, found.userTypes);
        const { clientSecret } = input;
        const provider = await tx.identityProvider.update({
          where: byId(ctx, id),
          data: {
            ...settings,
            ...(name === undefined ? {} : { name }),
            ...(input.enabled == null ? {} : { enabled: input.enabled }),
            ...(clientSecret == null
              ? {}
              : { sealedSecret: providerConnections.sealSecret({ tenantId, id }, clientSecret) }),
            version: { increment: 1 },
          },
        });
        await recordAudit(tx, change, {
          type: 'identity_provider.updated',
          subject: { kind: 'identity_provider', id },
          details: { before: told(found), after: told(provider), secretChanged: clientSecret != null },
        });
        return provider;
      });
    },

    /** Disconnects a provider: nobody signs in through it any more, whom it vouched for is forgotten, and who is in a
     * group by its claim leaves it. @throws NOT_FOUND, CONFLICT `LAST_ADMINISTRATOR` */
    async delete(ctx: Ctx, id: string): Promise<void> {
      await administer(ctx, async (change) => {
        const { tx } = change;
        const found = await tx.identityProvider.findUnique({ where: byId(ctx, id) });
        if (!found) throw notFound('Identity provider');
        const left = await groupsByClaim.endAll(change, id);
        const identities = await tx.externalIdentity.count({ where: { providerId: id } });
        await tx.identityProvider.delete({ where: byId(ctx, id) });
        await recordAudit(tx, change, {
          type: 'identity_provider.deleted',
          subject: { kind: 'identity_provider', id },
          details: { before: told(found), removed: { identities, memberships: left } },
        });
      });
    },
  };
}

/** See `createIdentityProviders`. */
export type IdentityProviders = ReturnType<typeof createIdentityProviders>;
