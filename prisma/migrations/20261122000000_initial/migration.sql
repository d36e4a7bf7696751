-- CreateEnum
CREATE TYPE "ClientKind" AS ENUM ('BACKEND', 'STOREFRONT', 'CUSTOM');

-- CreateEnum
CREATE TYPE "LegalEntityType" AS ENUM ('COMPANY', 'SUBSIDIARY');

-- CreateEnum
CREATE TYPE "ContactType" AS ENUM ('PRIMARY', 'BILLING', 'LOGISTICS', 'CONTACT');

-- CreateEnum
CREATE TYPE "LocationType" AS ENUM ('HEADQUARTER', 'WAREHOUSE', 'OFFICE');

-- CreateEnum
CREATE TYPE "B2BRole" AS ENUM ('ADMIN', 'BUYER', 'REQUESTER', 'CONTACT');

-- CreateEnum
CREATE TYPE "SigningKeyStatus" AS ENUM ('NEXT', 'CURRENT', 'RETIRED');

-- CreateEnum
CREATE TYPE "UserType" AS ENUM ('EMPLOYEE', 'CUSTOMER');

-- CreateEnum
CREATE TYPE "RevocationKind" AS ENUM ('TOKEN', 'SESSION', 'PRINCIPAL', 'CLIENT', 'LEGAL_ENTITY_MEMBERSHIP', 'GROUP', 'TENANT');

-- CreateEnum
CREATE TYPE "TenantStatus" AS ENUM ('ACTIVE', 'SUSPENDED');

-- CreateTable
CREATE TABLE "audit_events" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "type" TEXT NOT NULL,
    "outcome" TEXT NOT NULL,
    "reason" TEXT,
    "actor" JSONB NOT NULL,
    "actor_id" TEXT,
    "subject" JSONB,
    "subject_id" TEXT,
    "legal_entity_id" TEXT,
    "request_id" TEXT NOT NULL,
    "ip_address" TEXT,
    "details" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "audit_events_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "clients" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" "ClientKind" NOT NULL,
    "scopes" TEXT[],
    "every_scope" BOOLEAN NOT NULL DEFAULT false,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "clients_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "client_secrets" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "client_id" TEXT NOT NULL,
    "digest" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "client_secrets_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "client_scope_usage" (
    "tenant_id" TEXT NOT NULL,
    "client_id" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "last_used_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "client_scope_usage_pkey" PRIMARY KEY ("tenant_id","client_id","scope")
);

-- CreateTable
CREATE TABLE "legal_entities" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "type" "LegalEntityType" NOT NULL DEFAULT 'COMPANY',
    "parent_id" TEXT,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "account_limit_currency" TEXT,
    "account_limit_value" DECIMAL(19,4),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "legal_entities_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "contact_assignments" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "customer_id" TEXT NOT NULL,
    "legal_entity_id" TEXT NOT NULL,
    "type" "ContactType" NOT NULL DEFAULT 'CONTACT',
    "primary" BOOLEAN NOT NULL DEFAULT false,
    "cause_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "contact_assignments_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "locations" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "legal_entity_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "type" "LocationType" NOT NULL,
    "city" TEXT,
    "country_code" TEXT,

    CONSTRAINT "locations_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "groups" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "user_type" "UserType" NOT NULL,
    "role" "B2BRole",
    "legal_entity_id" TEXT,
    "predefined" BOOLEAN NOT NULL DEFAULT false,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "groups_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "employee_memberships" (
    "tenant_id" TEXT NOT NULL,
    "group_id" TEXT NOT NULL,
    "employee_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "employee_memberships_pkey" PRIMARY KEY ("tenant_id","group_id","employee_id")
);

-- CreateTable
CREATE TABLE "customer_memberships" (
    "tenant_id" TEXT NOT NULL,
    "group_id" TEXT NOT NULL,
    "customer_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "customer_memberships_pkey" PRIMARY KEY ("tenant_id","group_id","customer_id")
);

-- CreateTable
CREATE TABLE "permissions" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "description" TEXT NOT NULL,

    CONSTRAINT "permissions_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "resources" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "service" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL,

    CONSTRAINT "resources_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "roles" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "predefined" BOOLEAN NOT NULL DEFAULT false,
    "version" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "roles_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "role_permissions" (
    "tenant_id" TEXT NOT NULL,
    "role_id" TEXT NOT NULL,
    "permission_id" TEXT NOT NULL,

    CONSTRAINT "role_permissions_pkey" PRIMARY KEY ("tenant_id","role_id","permission_id")
);

-- CreateTable
CREATE TABLE "access_controls" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "role_id" TEXT,
    "resource_id" TEXT,
    "scopes" TEXT[],
    "every_scope" BOOLEAN NOT NULL DEFAULT false,
    "restricted_to" "UserType",
    "predefined" BOOLEAN NOT NULL DEFAULT false,
    "version" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "access_controls_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "access_control_templates" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,

    CONSTRAINT "access_control_templates_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "template_access_controls" (
    "tenant_id" TEXT NOT NULL,
    "template_id" TEXT NOT NULL,
    "access_control_id" TEXT NOT NULL,

    CONSTRAINT "template_access_controls_pkey" PRIMARY KEY ("tenant_id","template_id","access_control_id")
);

-- CreateTable
CREATE TABLE "group_access_controls" (
    "tenant_id" TEXT NOT NULL,
    "group_id" TEXT NOT NULL,
    "access_control_id" TEXT NOT NULL,

    CONSTRAINT "group_access_controls_pkey" PRIMARY KEY ("tenant_id","group_id","access_control_id")
);

-- CreateTable
CREATE TABLE "group_templates" (
    "tenant_id" TEXT NOT NULL,
    "group_id" TEXT NOT NULL,
    "template_id" TEXT NOT NULL,

    CONSTRAINT "group_templates_pkey" PRIMARY KEY ("tenant_id","group_id","template_id")
);

-- CreateTable
CREATE TABLE "signing_keys" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "algorithm" TEXT NOT NULL,
    "status" "SigningKeyStatus" NOT NULL,
    "public_jwk" JSONB NOT NULL,
    "sealed_private" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "activated_at" TIMESTAMPTZ(3),
    "retires_at" TIMESTAMPTZ(3),
    "distrusted" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "signing_keys_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "attempts" (
    "tenant_id" TEXT NOT NULL,
    "id" BYTEA NOT NULL,
    "window_start" TIMESTAMPTZ(3) NOT NULL,
    "count" INTEGER NOT NULL,

    CONSTRAINT "attempts_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "customers" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "customer_number" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "email_verified_at" TIMESTAMPTZ(3),
    "password_hash" TEXT,
    "first_name" TEXT,
    "last_name" TEXT,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "customers_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "employees" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "password_hash" TEXT,
    "first_name" TEXT NOT NULL,
    "last_name" TEXT NOT NULL,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "employees_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "revocations" (
    "sequence" BIGINT NOT NULL DEFAULT 0,
    "tenant_id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "kind" "RevocationKind" NOT NULL,
    "key" TEXT NOT NULL,
    "reason" TEXT NOT NULL,

    CONSTRAINT "revocations_pkey" PRIMARY KEY ("sequence")
);

-- CreateTable
CREATE TABLE "custom_scopes" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "custom_scopes_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "sessions" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "kind" "UserType" NOT NULL,
    "customer_id" TEXT,
    "employee_id" TEXT,
    "client_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),
    "end_reason" TEXT,
    "user_agent" TEXT,
    "ip_address" TEXT,
    "legal_entity_id" TEXT,
    "site_code" TEXT,
    "currency" TEXT,
    "language" TEXT,
    "target_location" TEXT,
    "attributes" JSONB NOT NULL DEFAULT '{}',
    "context_version" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "refresh_tokens" (
    "tenant_id" TEXT NOT NULL,
    "id" BYTEA NOT NULL,
    "session_id" TEXT NOT NULL,
    "branch_id" TEXT NOT NULL,
    "legal_entity_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "spent_at" TIMESTAMPTZ(3),
    "spent_for" BYTEA,
    "successor" BYTEA,

    CONSTRAINT "refresh_tokens_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "identity_providers" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "issuer" TEXT NOT NULL,
    "client_id" TEXT NOT NULL,
    "sealed_secret" BYTEA,
    "audience" TEXT,
    "user_types" "UserType"[],
    "redirect_uris" TEXT[],
    "auto_provision" BOOLEAN NOT NULL DEFAULT false,
    "group_claim" TEXT,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "version" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "identity_providers_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "external_identities" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "provider_id" TEXT NOT NULL,
    "issuer" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "user_type" "UserType" NOT NULL,
    "customer_id" TEXT,
    "employee_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "external_identities_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "tenants" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "status" "TenantStatus" NOT NULL DEFAULT 'ACTIVE',
    "settings" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tenants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "counters" (
    "name" TEXT NOT NULL,
    "value" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "counters_pkey" PRIMARY KEY ("name")
);

-- CreateIndex
CREATE INDEX "audit_events_tenant_id_at_id_idx" ON "audit_events"("tenant_id", "at", "id");

-- CreateIndex
CREATE INDEX "audit_events_tenant_id_type_at_idx" ON "audit_events"("tenant_id", "type", "at");

-- CreateIndex
CREATE INDEX "audit_events_tenant_id_actor_id_at_idx" ON "audit_events"("tenant_id", "actor_id", "at");

-- CreateIndex
CREATE INDEX "audit_events_tenant_id_subject_id_at_idx" ON "audit_events"("tenant_id", "subject_id", "at");

-- CreateIndex
CREATE UNIQUE INDEX "clients_id_key" ON "clients"("id");

-- CreateIndex
CREATE INDEX "client_secrets_tenant_id_client_id_idx" ON "client_secrets"("tenant_id", "client_id");

-- CreateIndex
CREATE INDEX "legal_entities_tenant_id_parent_id_idx" ON "legal_entities"("tenant_id", "parent_id");

-- CreateIndex
CREATE INDEX "legal_entities_tenant_id_name_id_idx" ON "legal_entities"("tenant_id", "name", "id");

-- CreateIndex
CREATE INDEX "contact_assignments_tenant_id_legal_entity_id_idx" ON "contact_assignments"("tenant_id", "legal_entity_id");

-- CreateIndex
CREATE INDEX "contact_assignments_tenant_id_cause_id_idx" ON "contact_assignments"("tenant_id", "cause_id");

-- CreateIndex
CREATE UNIQUE INDEX "contact_assignments_tenant_id_customer_id_legal_entity_id_key" ON "contact_assignments"("tenant_id", "customer_id", "legal_entity_id");

-- CreateIndex
CREATE INDEX "locations_tenant_id_legal_entity_id_idx" ON "locations"("tenant_id", "legal_entity_id");

-- CreateIndex
CREATE INDEX "groups_tenant_id_name_id_idx" ON "groups"("tenant_id", "name", "id");

-- CreateIndex
CREATE UNIQUE INDEX "groups_tenant_id_legal_entity_id_role_key" ON "groups"("tenant_id", "legal_entity_id", "role");

-- CreateIndex
CREATE INDEX "employee_memberships_tenant_id_employee_id_idx" ON "employee_memberships"("tenant_id", "employee_id");

-- CreateIndex
CREATE INDEX "customer_memberships_tenant_id_customer_id_idx" ON "customer_memberships"("tenant_id", "customer_id");

-- CreateIndex
CREATE UNIQUE INDEX "permissions_tenant_id_action_key" ON "permissions"("tenant_id", "action");

-- CreateIndex
CREATE UNIQUE INDEX "resources_tenant_id_service_name_key" ON "resources"("tenant_id", "service", "name");

-- CreateIndex
CREATE INDEX "roles_tenant_id_name_id_idx" ON "roles"("tenant_id", "name", "id");

-- CreateIndex
CREATE INDEX "role_permissions_tenant_id_permission_id_idx" ON "role_permissions"("tenant_id", "permission_id");

-- CreateIndex
CREATE INDEX "access_controls_tenant_id_role_id_idx" ON "access_controls"("tenant_id", "role_id");

-- CreateIndex
CREATE INDEX "access_controls_tenant_id_resource_id_idx" ON "access_controls"("tenant_id", "resource_id");

-- CreateIndex
CREATE INDEX "access_controls_tenant_id_name_id_idx" ON "access_controls"("tenant_id", "name", "id");

-- CreateIndex
CREATE INDEX "access_control_templates_tenant_id_name_id_idx" ON "access_control_templates"("tenant_id", "name", "id");

-- CreateIndex
CREATE INDEX "template_access_controls_tenant_id_access_control_id_idx" ON "template_access_controls"("tenant_id", "access_control_id");

-- CreateIndex
CREATE INDEX "group_access_controls_tenant_id_access_control_id_idx" ON "group_access_controls"("tenant_id", "access_control_id");

-- CreateIndex
CREATE INDEX "group_templates_tenant_id_template_id_idx" ON "group_templates"("tenant_id", "template_id");

-- CreateIndex
CREATE UNIQUE INDEX "signing_keys_id_key" ON "signing_keys"("id");

-- CreateIndex
CREATE INDEX "attempts_window_start_idx" ON "attempts"("window_start");

-- CreateIndex
CREATE UNIQUE INDEX "customers_tenant_id_email_key" ON "customers"("tenant_id", "email");

-- CreateIndex
CREATE UNIQUE INDEX "customers_tenant_id_customer_number_key" ON "customers"("tenant_id", "customer_number");

-- CreateIndex
CREATE UNIQUE INDEX "employees_tenant_id_email_key" ON "employees"("tenant_id", "email");

-- CreateIndex
CREATE INDEX "revocations_at_idx" ON "revocations"("at");

-- CreateIndex
CREATE INDEX "revocations_tenant_id_sequence_idx" ON "revocations"("tenant_id", "sequence");

-- CreateIndex
CREATE INDEX "revocations_tenant_id_kind_key_sequence_idx" ON "revocations"("tenant_id", "kind", "key", "sequence");

-- CreateIndex
CREATE INDEX "sessions_tenant_id_customer_id_created_at_idx" ON "sessions"("tenant_id", "customer_id", "created_at");

-- CreateIndex
CREATE INDEX "sessions_tenant_id_employee_id_created_at_idx" ON "sessions"("tenant_id", "employee_id", "created_at");

-- CreateIndex
CREATE INDEX "sessions_tenant_id_created_at_id_idx" ON "sessions"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "sessions_expires_at_idx" ON "sessions"("expires_at");

-- CreateIndex
CREATE INDEX "refresh_tokens_tenant_id_session_id_idx" ON "refresh_tokens"("tenant_id", "session_id");

-- CreateIndex
CREATE INDEX "refresh_tokens_expires_at_idx" ON "refresh_tokens"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "refresh_tokens_id_key" ON "refresh_tokens"("id");

-- CreateIndex
CREATE UNIQUE INDEX "identity_providers_tenant_id_name_key" ON "identity_providers"("tenant_id", "name");

-- CreateIndex
CREATE INDEX "external_identities_tenant_id_customer_id_idx" ON "external_identities"("tenant_id", "customer_id");

-- CreateIndex
CREATE INDEX "external_identities_tenant_id_employee_id_idx" ON "external_identities"("tenant_id", "employee_id");

-- CreateIndex
CREATE INDEX "external_identities_tenant_id_provider_id_idx" ON "external_identities"("tenant_id", "provider_id");

-- CreateIndex
CREATE UNIQUE INDEX "external_identities_tenant_id_user_type_issuer_subject_key" ON "external_identities"("tenant_id", "user_type", "issuer", "subject");

-- AddForeignKey
ALTER TABLE "audit_events" ADD CONSTRAINT "audit_events_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "clients" ADD CONSTRAINT "clients_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "client_secrets" ADD CONSTRAINT "client_secrets_tenant_id_client_id_fkey" FOREIGN KEY ("tenant_id", "client_id") REFERENCES "clients"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "client_scope_usage" ADD CONSTRAINT "client_scope_usage_tenant_id_client_id_fkey" FOREIGN KEY ("tenant_id", "client_id") REFERENCES "clients"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "legal_entities" ADD CONSTRAINT "legal_entities_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "legal_entities" ADD CONSTRAINT "legal_entities_tenant_id_parent_id_fkey" FOREIGN KEY ("tenant_id", "parent_id") REFERENCES "legal_entities"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "contact_assignments" ADD CONSTRAINT "contact_assignments_tenant_id_customer_id_fkey" FOREIGN KEY ("tenant_id", "customer_id") REFERENCES "customers"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "contact_assignments" ADD CONSTRAINT "contact_assignments_tenant_id_legal_entity_id_fkey" FOREIGN KEY ("tenant_id", "legal_entity_id") REFERENCES "legal_entities"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "contact_assignments" ADD CONSTRAINT "contact_assignments_tenant_id_cause_id_fkey" FOREIGN KEY ("tenant_id", "cause_id") REFERENCES "contact_assignments"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "locations" ADD CONSTRAINT "locations_tenant_id_legal_entity_id_fkey" FOREIGN KEY ("tenant_id", "legal_entity_id") REFERENCES "legal_entities"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "groups" ADD CONSTRAINT "groups_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "groups" ADD CONSTRAINT "groups_tenant_id_legal_entity_id_fkey" FOREIGN KEY ("tenant_id", "legal_entity_id") REFERENCES "legal_entities"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "employee_memberships" ADD CONSTRAINT "employee_memberships_tenant_id_group_id_fkey" FOREIGN KEY ("tenant_id", "group_id") REFERENCES "groups"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "employee_memberships" ADD CONSTRAINT "employee_memberships_tenant_id_employee_id_fkey" FOREIGN KEY ("tenant_id", "employee_id") REFERENCES "employees"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "customer_memberships" ADD CONSTRAINT "customer_memberships_tenant_id_group_id_fkey" FOREIGN KEY ("tenant_id", "group_id") REFERENCES "groups"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "customer_memberships" ADD CONSTRAINT "customer_memberships_tenant_id_customer_id_fkey" FOREIGN KEY ("tenant_id", "customer_id") REFERENCES "customers"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "permissions" ADD CONSTRAINT "permissions_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "resources" ADD CONSTRAINT "resources_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "roles" ADD CONSTRAINT "roles_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "role_permissions" ADD CONSTRAINT "role_permissions_tenant_id_role_id_fkey" FOREIGN KEY ("tenant_id", "role_id") REFERENCES "roles"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "role_permissions" ADD CONSTRAINT "role_permissions_tenant_id_permission_id_fkey" FOREIGN KEY ("tenant_id", "permission_id") REFERENCES "permissions"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "access_controls" ADD CONSTRAINT "access_controls_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "access_controls" ADD CONSTRAINT "access_controls_tenant_id_role_id_fkey" FOREIGN KEY ("tenant_id", "role_id") REFERENCES "roles"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "access_controls" ADD CONSTRAINT "access_controls_tenant_id_resource_id_fkey" FOREIGN KEY ("tenant_id", "resource_id") REFERENCES "resources"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "access_control_templates" ADD CONSTRAINT "access_control_templates_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "template_access_controls" ADD CONSTRAINT "template_access_controls_tenant_id_template_id_fkey" FOREIGN KEY ("tenant_id", "template_id") REFERENCES "access_control_templates"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "template_access_controls" ADD CONSTRAINT "template_access_controls_tenant_id_access_control_id_fkey" FOREIGN KEY ("tenant_id", "access_control_id") REFERENCES "access_controls"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "group_access_controls" ADD CONSTRAINT "group_access_controls_tenant_id_group_id_fkey" FOREIGN KEY ("tenant_id", "group_id") REFERENCES "groups"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "group_access_controls" ADD CONSTRAINT "group_access_controls_tenant_id_access_control_id_fkey" FOREIGN KEY ("tenant_id", "access_control_id") REFERENCES "access_controls"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "group_templates" ADD CONSTRAINT "group_templates_tenant_id_group_id_fkey" FOREIGN KEY ("tenant_id", "group_id") REFERENCES "groups"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "group_templates" ADD CONSTRAINT "group_templates_tenant_id_template_id_fkey" FOREIGN KEY ("tenant_id", "template_id") REFERENCES "access_control_templates"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "signing_keys" ADD CONSTRAINT "signing_keys_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "customers" ADD CONSTRAINT "customers_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "employees" ADD CONSTRAINT "employees_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "revocations" ADD CONSTRAINT "revocations_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "custom_scopes" ADD CONSTRAINT "custom_scopes_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_tenant_id_customer_id_fkey" FOREIGN KEY ("tenant_id", "customer_id") REFERENCES "customers"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_tenant_id_employee_id_fkey" FOREIGN KEY ("tenant_id", "employee_id") REFERENCES "employees"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_tenant_id_client_id_fkey" FOREIGN KEY ("tenant_id", "client_id") REFERENCES "clients"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "refresh_tokens" ADD CONSTRAINT "refresh_tokens_tenant_id_session_id_fkey" FOREIGN KEY ("tenant_id", "session_id") REFERENCES "sessions"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "identity_providers" ADD CONSTRAINT "identity_providers_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "external_identities" ADD CONSTRAINT "external_identities_tenant_id_provider_id_fkey" FOREIGN KEY ("tenant_id", "provider_id") REFERENCES "identity_providers"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "external_identities" ADD CONSTRAINT "external_identities_tenant_id_customer_id_fkey" FOREIGN KEY ("tenant_id", "customer_id") REFERENCES "customers"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "external_identities" ADD CONSTRAINT "external_identities_tenant_id_employee_id_fkey" FOREIGN KEY ("tenant_id", "employee_id") REFERENCES "employees"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;
