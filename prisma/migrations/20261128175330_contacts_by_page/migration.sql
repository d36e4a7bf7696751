-- DropIndex
DROP INDEX "contact_assignments_tenant_id_legal_entity_id_idx";

-- CreateIndex
CREATE INDEX "contact_assignments_tenant_id_legal_entity_id_id_idx" ON "contact_assignments"("tenant_id", "legal_entity_id", "id");
