-- What the Prisma schema cannot say: counters, triggers, checks. Only what PostgreSQL 15 and 18 have in common.

-- A counter per cached thing. Raising one locks its row until the transaction ends, so the order of numbers is
-- the order of commits, and a reader who sees n has everything up to n.
INSERT INTO "counters" ("name", "value") VALUES ('revocations', 0), ('signing_keys', 0), ('tenants', 0), ('clients', 0);

CREATE FUNCTION raise_counter(counter_name text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  raised bigint;
BEGIN
  UPDATE counters SET value = value + 1 WHERE name = counter_name RETURNING value INTO STRICT raised;
  PERFORM pg_notify('scopeward_changes', counter_name);
  RETURN raised;
END
$$;

-- Gives each revocation its number.
CREATE FUNCTION number_revocation() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  NEW.sequence := raise_counter('revocations');
  RETURN NEW;
END
$$;

CREATE TRIGGER revocations_number BEFORE INSERT ON "revocations"
FOR EACH ROW EXECUTE FUNCTION number_revocation();

-- Raises the counter that the trigger names.
CREATE FUNCTION raise_counter_of_table() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM raise_counter(TG_ARGV[0]);
  RETURN NULL;
END
$$;

CREATE TRIGGER signing_keys_changed AFTER INSERT OR UPDATE OR DELETE ON "signing_keys"
FOR EACH STATEMENT EXECUTE FUNCTION raise_counter_of_table('signing_keys');

CREATE TRIGGER tenants_changed AFTER INSERT OR UPDATE OR DELETE ON "tenants"
FOR EACH STATEMENT EXECUTE FUNCTION raise_counter_of_table('tenants');

CREATE TRIGGER clients_changed AFTER INSERT OR UPDATE OR DELETE ON "clients"
FOR EACH STATEMENT EXECUTE FUNCTION raise_counter_of_table('clients');

CREATE TRIGGER client_secrets_changed AFTER INSERT OR UPDATE OR DELETE ON "client_secrets"
FOR EACH STATEMENT EXECUTE FUNCTION raise_counter_of_table('clients');

-- The audit log is append only. Deleting stays possible: retention, and the end of a tenant.
CREATE FUNCTION refuse_update() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append only', TG_TABLE_NAME;
END
$$;

CREATE TRIGGER audit_events_append_only BEFORE UPDATE ON "audit_events"
FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();

-- A session and an external identity are of one person, of the kind that they say.
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_one_principal" CHECK (
  CASE "kind" WHEN 'CUSTOMER' THEN "customer_id" IS NOT NULL AND "employee_id" IS NULL
              WHEN 'EMPLOYEE' THEN "employee_id" IS NOT NULL AND "customer_id" IS NULL ELSE false END
);

ALTER TABLE "external_identities" ADD CONSTRAINT "external_identities_one_principal" CHECK (
  CASE "user_type" WHEN 'CUSTOMER' THEN "customer_id" IS NOT NULL AND "employee_id" IS NULL
                   WHEN 'EMPLOYEE' THEN "employee_id" IS NOT NULL AND "customer_id" IS NULL ELSE false END
);

-- A role stands for something in a company only.
ALTER TABLE "groups" ADD CONSTRAINT "groups_role_in_company" CHECK ("role" IS NULL OR "legal_entity_id" IS NOT NULL);

-- One key signs. A rotation retires the old one before it promotes the new one.
CREATE UNIQUE INDEX "signing_keys_one_current" ON "signing_keys" ("tenant_id") WHERE "status" = 'CURRENT';
