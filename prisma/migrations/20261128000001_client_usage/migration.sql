-- The list of clients is in the order of their names.
CREATE INDEX "clients_tenant_id_name_id_idx" ON "clients"("tenant_id", "name", "id");
