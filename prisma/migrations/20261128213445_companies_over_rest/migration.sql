-- AlterTable
ALTER TABLE "contact_assignments" ADD COLUMN     "details" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "legal_entities" ADD COLUMN     "details" JSONB NOT NULL DEFAULT '{}';

-- AlterTable
ALTER TABLE "locations" ADD COLUMN     "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "details" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1,
ALTER COLUMN "legal_entity_id" DROP NOT NULL;

-- AlterTable
ALTER TABLE "sessions" ADD COLUMN     "cart_id" TEXT;

-- CreateTable
CREATE TABLE "guest_contexts" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "site_code" TEXT,
    "currency" TEXT,
    "language" TEXT,
    "target_location" TEXT,
    "cart_id" TEXT,
    "attributes" JSONB NOT NULL DEFAULT '{}',
    "context_version" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "guest_contexts_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateIndex
CREATE INDEX "guest_contexts_expires_at_idx" ON "guest_contexts"("expires_at");

-- CreateIndex
CREATE INDEX "locations_tenant_id_name_id_idx" ON "locations"("tenant_id", "name", "id");

-- AddForeignKey
ALTER TABLE "locations" ADD CONSTRAINT "locations_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "guest_contexts" ADD CONSTRAINT "guest_contexts_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;
