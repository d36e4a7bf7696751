-- Actions and resources are read off the scopes that there are; a role keeps the names of its actions, and an access
-- control that of its resource. What was stored is carried over.
ALTER TABLE "roles" ADD COLUMN "actions" TEXT[];
UPDATE "roles" r SET "actions" = ARRAY(
  SELECT p."action" FROM "role_permissions" rp
  JOIN "permissions" p ON p."tenant_id" = rp."tenant_id" AND p."id" = rp."permission_id"
  WHERE rp."tenant_id" = r."tenant_id" AND rp."role_id" = r."id" ORDER BY 1
);

ALTER TABLE "access_controls" DROP CONSTRAINT "access_controls_tenant_id_resource_id_fkey";
DROP INDEX "access_controls_tenant_id_resource_id_idx";
UPDATE "access_controls" ac SET "resource_id" = r."service" || '.' || r."name"
FROM "resources" r WHERE r."tenant_id" = ac."tenant_id" AND r."id" = ac."resource_id";

DROP TABLE "role_permissions";
DROP TABLE "permissions";
DROP TABLE "resources";
