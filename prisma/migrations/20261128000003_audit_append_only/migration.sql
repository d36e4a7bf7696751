-- Emptying the audit log would be altering it as a whole.
CREATE TRIGGER audit_events_not_truncated BEFORE TRUNCATE ON "audit_events"
FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
