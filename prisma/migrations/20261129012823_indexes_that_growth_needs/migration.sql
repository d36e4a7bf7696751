-- Asked by no statement: tokens go with their session.
DROP INDEX "refresh_tokens_expires_at_idx";

-- CreateIndex
CREATE INDEX "sessions_tenant_id_client_id_idx" ON "sessions"("tenant_id", "client_id");

-- CreateIndex
CREATE INDEX "sso_authorizations_tenant_id_provider_id_idx" ON "sso_authorizations"("tenant_id", "provider_id");

-- CreateIndex
CREATE INDEX "used_subject_tokens_tenant_id_provider_id_idx" ON "used_subject_tokens"("tenant_id", "provider_id");

-- What Prisma's schema cannot say: successors that no retry may ask for any more are found without reading every token.
CREATE INDEX "refresh_tokens_spent_at_idx" ON "refresh_tokens"("spent_at") WHERE "successor" IS NOT NULL;
