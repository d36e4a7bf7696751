-- What each group gives, directly or through a template: one row per access control, and one with nulls for a
-- group that gives nothing, since its members answer to it all the same.
CREATE VIEW group_grants AS
SELECT g.tenant_id, g.id AS group_id, g.user_type, g.legal_entity_id, ac.id AS access_control_id, ac.scopes, ac.every_scope
FROM groups g
LEFT JOIN LATERAL (
  SELECT gac.access_control_id FROM group_access_controls gac
  WHERE gac.tenant_id = g.tenant_id AND gac.group_id = g.id
  UNION
  SELECT tac.access_control_id FROM group_templates gt
  JOIN template_access_controls tac ON tac.tenant_id = gt.tenant_id AND tac.template_id = gt.template_id
  WHERE gt.tenant_id = g.tenant_id AND gt.group_id = g.id
) given ON true
LEFT JOIN access_controls ac ON ac.tenant_id = g.tenant_id AND ac.id = given.access_control_id
  AND (ac.restricted_to IS NULL OR ac.restricted_to = g.user_type);

-- Custom scopes are held in memory too: see the triggers of the other watched tables.
INSERT INTO counters (name, value) VALUES ('custom_scopes', 0) ON CONFLICT DO NOTHING;

CREATE FUNCTION scopeward_custom_scopes_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'custom_scopes';
  PERFORM pg_notify('scopeward_changes', 'custom_scopes');
  RETURN NULL;
END;
$$;

CREATE TRIGGER custom_scopes_changed AFTER INSERT OR UPDATE OR DELETE ON custom_scopes
FOR EACH STATEMENT EXECUTE FUNCTION scopeward_custom_scopes_changed();
