// Companies above and below each other. The database walks, in one statement however deep; a cycle that somebody planted
// past the use cases ends the walk, for no company is visited twice.

import type { TenantClient } from '../../database/database.ts';
import type { TenantSettings } from '../tenants/tenant-settings.ts';

interface Step {
  readonly origin: string;
  readonly id: string;
}

const reached = (origins: readonly string[], steps: readonly Step[]): Map<string, string[]> => {
  const found = new Map<string, string[]>(origins.map((origin) => [origin, []]));
  for (const { origin, id } of steps) if (id !== origin) found.get(origin)!.push(id);
  return found;
};

/** The companies above each of `origins`: parent, parent's parent and so on. */
export async function ancestorsOf(tx: TenantClient, tenantId: string, origins: readonly string[]) {
  const steps = await tx.$queryRaw<Step[]>`
    WITH RECURSIVE walk AS (
      SELECT id AS origin, id FROM legal_entities WHERE tenant_id = ${tenantId} AND id = ANY(${origins})
      UNION
      SELECT walk.origin, up.id FROM walk
      JOIN legal_entities child ON child.tenant_id = ${tenantId} AND child.id = walk.id
      JOIN legal_entities up ON up.tenant_id = ${tenantId} AND up.id = child.parent_id
    ) SELECT origin, id FROM walk`;
  return reached(origins, steps);
}

/** The companies below each of `origins`: subsidiaries, their subsidiaries and so on. */
export async function descendantsOf(tx: TenantClient, tenantId: string, origins: readonly string[]) {
  const steps = await tx.$queryRaw<Step[]>`
    WITH RECURSIVE walk AS (
      SELECT id AS origin, id FROM legal_entities WHERE tenant_id = ${tenantId} AND id = ANY(${origins})
      UNION
      SELECT walk.origin, down.id FROM walk
      JOIN legal_entities down ON down.tenant_id = ${tenantId} AND down.parent_id = walk.id
    ) SELECT origin, id FROM walk`;
  return reached(origins, steps);
}

/** Where an assignment to each of `origins` spreads to. */
export async function reachOf(
  tx: TenantClient,
  tenantId: string,
  propagation: TenantSettings['contactPropagation'],
  origins: readonly string[],
): Promise<Map<string, string[]>> {
  if (propagation === 'DISABLED' || origins.length === 0) return reached(origins, []);
  return propagation === 'UPWARD' ? ancestorsOf(tx, tenantId, origins) : descendantsOf(tx, tenantId, origins);
}
