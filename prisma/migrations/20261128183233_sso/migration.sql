-- CreateEnum
CREATE TYPE "SubjectTokens" AS ENUM ('JWT', 'OPAQUE');

-- AlterTable
ALTER TABLE "employee_memberships" ADD COLUMN     "provider_id" TEXT;

-- AlterTable
ALTER TABLE "identity_providers" ADD COLUMN     "email_claim" TEXT NOT NULL DEFAULT 'email',
ADD COLUMN     "first_name_claim" TEXT NOT NULL DEFAULT 'given_name',
ADD COLUMN     "last_name_claim" TEXT NOT NULL DEFAULT 'family_name',
ADD COLUMN     "subject_tokens" "SubjectTokens";

-- CreateTable
CREATE TABLE "sso_authorizations" (
    "tenant_id" TEXT NOT NULL,
    "id" BYTEA NOT NULL,
    "provider_id" TEXT NOT NULL,
    "user_type" "UserType" NOT NULL,
    "redirect_uri" TEXT NOT NULL,
    "verifier_digest" BYTEA NOT NULL,
    "sealed" BYTEA NOT NULL,
    "guest" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "sso_authorizations_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "used_subject_tokens" (
    "tenant_id" TEXT NOT NULL,
    "id" BYTEA NOT NULL,
    "provider_id" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "used_subject_tokens_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateIndex
CREATE INDEX "sso_authorizations_expires_at_idx" ON "sso_authorizations"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "sso_authorizations_id_key" ON "sso_authorizations"("id");

-- CreateIndex
CREATE INDEX "used_subject_tokens_expires_at_idx" ON "used_subject_tokens"("expires_at");

-- AddForeignKey
ALTER TABLE "sso_authorizations" ADD CONSTRAINT "sso_authorizations_tenant_id_provider_id_fkey" FOREIGN KEY ("tenant_id", "provider_id") REFERENCES "identity_providers"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "used_subject_tokens" ADD CONSTRAINT "used_subject_tokens_tenant_id_provider_id_fkey" FOREIGN KEY ("tenant_id", "provider_id") REFERENCES "identity_providers"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;
