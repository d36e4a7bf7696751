// The signing keys of every tenant: next (published, not used), current, retired (published until the last token
// that it signed has expired). Held in memory, read again whenever one changes.
// Invariant: a tenant's key vouches for that tenant only, and one current key per tenant is the database's rule.

import type { KeyObject } from 'node:crypto';
import type { CryptoKey, JWK } from 'jose';
import type { Ctx } from '../../context.ts';
import type { ChangeFeed } from '../../database/change-feed.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { conflict, notFound, serviceUnavailable } from '../../errors/domain-error.ts';
import { recordAudit } from '../audit/audit.ts';
import { LONGEST_ACCESS_TOKEN_SECONDS } from '../tenants/token-life.ts';
import { importKey, importPrivateKey, makeKeyPair, type SigningAlgorithm } from './key-pair.ts';
import { deriveKey, seal, unseal } from './key-sealing.ts';

/** What `kid` in a token's header leads to. */
export interface VerificationKey {
  readonly tenantId: string;
  readonly algorithm: string;
  readonly key: CryptoKey;
  /** When its last token has expired; null while it signs, or is going to. */
  readonly retiresAt: Date | null;
}

/** What signs a tenant's tokens now. */
export interface SigningKeyPair {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly privateKey: KeyObject;
}

/** The secret does not open the keys in the database. The process must not start, nor make new keys. */
export class SealedKeyError extends Error {
  constructor(cause: unknown) {
    super('KEY_ENCRYPTION_SECRET: does not open the signing keys in this database.', { cause });
    this.name = 'SealedKeyError';
  }
}

/** Time passes without the database saying so: what is held in memory is asked again at each use. */
const isPublished = ({ retiresAt }: { readonly retiresAt: Date | null }) =>
  retiresAt === null || retiresAt.getTime() > Date.now();

const ROTATION_DAYS = 90;
const RETIRED_SECONDS = LONGEST_ACCESS_TOKEN_SECONDS + 60;

/** Use cases of signing keys. */
export function createSigningKeys(deps: {
  database: Database;
  changes: ChangeFeed;
  algorithm: SigningAlgorithm;
  keyEncryptionSecret: string;
}) {
  const { database, changes } = deps;
  const sealingKey = deriveKey(deps.keyEncryptionSecret, 'signing keys');
  let verification = new Map<string, VerificationKey>();
  let signing = new Map<string, SigningKeyPair>();
  let published: { readonly tenantId: string; readonly jwk: JWK; readonly retiresAt: Date | null }[] = [];

  changes.watch('signing_keys', async () => {
    const rows = await database.system().signingKey.findMany({
      where: { distrusted: false, OR: [{ retiresAt: null }, { retiresAt: { gt: new Date() } }] },
      orderBy: [{ tenantId: 'asc' }, { createdAt: 'desc' }],
    });
    const nextVerification = new Map<string, VerificationKey>();
    const nextSigning = new Map<string, SigningKeyPair>();
    for (const row of rows) {
      const { tenantId, id: kid, algorithm, retiresAt } = row;
      const key = verification.get(kid)?.key ?? (await importKey(row.publicJwk as JWK, algorithm));
      nextVerification.set(kid, { tenantId, algorithm, key, retiresAt });
      if (row.status !== 'CURRENT') continue;
      const known = signing.get(tenantId);
      const privateKey = known?.kid === kid ? known.privateKey : importPrivateKey(open(row.sealedPrivate, kid));
      nextSigning.set(tenantId, { kid, algorithm: algorithm as SigningAlgorithm, privateKey });
    }
    verification = nextVerification;
    signing = nextSigning;
    published = rows.map(({ tenantId, publicJwk, retiresAt }) => ({ tenantId, jwk: publicJwk as JWK, retiresAt }));
  });

  const open = (sealed: Uint8Array, kid: string): JWK => {
    try {
      return JSON.parse(unseal(sealingKey, sealed, kid)) as JWK;
    } catch (cause) {
      throw new SealedKeyError(cause);
    }
  };

  async function add(tx: TenantClient, tenantId: string, status: 'NEXT' | 'CURRENT') {
    const pair = await makeKeyPair(deps.algorithm);
    return tx.signingKey.create({
      data: {
        tenantId,
        id: pair.kid,
        algorithm: pair.algorithm,
        status,
        publicJwk: pair.publicJwk as object,
        sealedPrivate: seal(sealingKey, JSON.stringify(pair.privateJwk), pair.kid),
        activatedAt: status === 'CURRENT' ? new Date() : null,
      },
    });
  }

  /** Whoever changes a tenant's keys does so alone: what is read after this is still true when it is written. */
  const lock = (tx: TenantClient, tenantId: string) =>
    tx.$queryRaw`SELECT id FROM signing_keys WHERE tenant_id = ${tenantId} ORDER BY id FOR UPDATE`;

  /** The next key signs from now on, and a new next one is made. */
  async function promoteNext(tx: TenantClient, tenantId: string) {
    const next = await tx.signingKey.findFirst({ where: { tenantId, status: 'NEXT' }, orderBy: { createdAt: 'asc' } });
    const current = next
      ? await tx.signingKey.update({
          where: { tenantId_id: { tenantId, id: next.id } },
          data: { status: 'CURRENT', activatedAt: new Date() },
        })
      : await add(tx, tenantId, 'CURRENT');
    await add(tx, tenantId, 'NEXT');
    return current;
  }

  return {
    /** The key of that `kid`; null when it is unknown, retired for good or distrusted. No I/O. */
    verificationKey(kid: string): VerificationKey | null {
      const known = verification.get(kid);
      return known && isPublished(known) ? known : null;
    },

    /** The current key of a tenant. No I/O. @throws SERVICE_UNAVAILABLE before the first is loaded. */
    current(tenantId: string): SigningKeyPair {
      const pair = signing.get(tenantId);
      if (!pair) throw serviceUnavailable(`no signing key of ${tenantId} is loaded`);
      return pair;
    },

    /** Is there a key to sign a tenant's tokens with? No I/O. */
    hasCurrent: (tenantId: string): boolean => signing.has(tenantId),

    /** The JWKS (RFC 7517 s.5): every key that a valid token may be signed with, and the next ones; of one tenant, or
     * of all. No I/O. */
    publicJwks: (tenantId: string | null = null): { keys: JWK[] } => ({
      keys: published
        .filter((key) => isPublished(key) && (tenantId === null || key.tenantId === tenantId))
        .map(({ jwk }) => jwk),
    }),

    /** Before the start. @throws SealedKeyError when the secret does not open the keys that there are */
    async requireSecret(): Promise<void> {
      const keys = await database.system().signingKey.findMany({ where: { status: { not: 'RETIRED' } } });
      for (const { id, sealedPrivate } of keys) open(sealedPrivate, id);
    },

    /** Makes the first two keys of a tenant that has none. Safe when several instances start at once. */
    async ensure(tenantId: string): Promise<void> {
      if (signing.has(tenantId)) return;
      const ctx = { tenantId };
      await database
        .transaction(ctx, async (tx) => {
          if ((await tx.signingKey.count({ where: { status: 'CURRENT' } })) > 0) return;
          await add(tx, tenantId, 'CURRENT');
          await add(tx, tenantId, 'NEXT');
        })
        .catch(async (error) => {
          const made = await database.forTenant(ctx).signingKey.count({ where: { status: 'CURRENT' } });
          if (made === 0) throw error;
        });
      await changes.catchUp();
    },

    /** All keys that are still published or were, newest first. */
    list: (ctx: Ctx) =>
      database.forTenant(ctx).signingKey.findMany({ orderBy: [{ createdAt: 'desc' }, { id: 'asc' }] }),

    /** Next becomes current, current is retired and stays published until its last token has expired. */
    async rotate(ctx: Ctx) {
      const expected = signing.get(ctx.tenantId)?.kid;
      const current = await database.transaction(ctx, async (tx) => {
        await lock(tx, ctx.tenantId);
        const found = await tx.signingKey.findFirst({ where: { status: 'CURRENT' }, select: { id: true } });
        if (found && found.id !== expected) throw conflict('KEY_ROTATION', 'Another rotation has just been made.');
        await tx.signingKey.updateMany({
          where: { status: 'CURRENT' },
          data: { status: 'RETIRED', retiresAt: new Date(Date.now() + RETIRED_SECONDS * 1000) },
        });
        const promoted = await promoteNext(tx, ctx.tenantId);
        await recordAudit(tx, ctx, { type: 'signing_key.rotated', subject: { kind: 'signing_key', id: promoted.id } });
        return promoted;
      });
      await changes.catchUp();
      return current;
    },

    /** In an emergency: whatever this key signed is refused from now on. @throws NOT_FOUND */
    async retire(ctx: Ctx, kid: string, reason: string) {
      const retired = await database.transaction(ctx, async (tx) => {
        await lock(tx, ctx.tenantId);
        const key = await tx.signingKey.findFirst({ where: { id: kid } });
        if (!key) throw notFound('Signing key');
        const updated = await tx.signingKey.update({
          where: { tenantId_id: { tenantId: ctx.tenantId, id: kid } },
          data: { status: 'RETIRED', distrusted: true, retiresAt: new Date() },
        });
        if (key.status === 'CURRENT') await promoteNext(tx, ctx.tenantId);
        if (key.status === 'NEXT') await add(tx, ctx.tenantId, 'NEXT');
        await recordAudit(tx, ctx, { type: 'signing_key.retired', subject: { kind: 'signing_key', id: kid }, reason });
        return updated;
      });
      await changes.catchUp();
      return retired;
    },

    /** Whether the current key has signed for long enough. */
    async isRotationDue(ctx: { tenantId: string }): Promise<boolean> {
      const due = new Date(Date.now() - ROTATION_DAYS * 86_400_000);
      return (
        (await database.forTenant(ctx).signingKey.count({ where: { status: 'CURRENT', activatedAt: { lt: due } } })) > 0
      );
    },
  };
}

/** See `createSigningKeys`. */
export type SigningKeys = ReturnType<typeof createSigningKeys>;
