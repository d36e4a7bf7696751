// The closed list of audited events. A name is `what.happened`; details never hold a secret.

/** What may be recorded. */
export const auditEventTypes = [
  'client.authentication_failed',
  'client.created',
  'client.deleted',
  'client.secret_rotated',
  'client.updated',
  'company.switch_refused',
  'customer.deleted',
  'customer.password_changed',
  'customer.registered',
  'customer.updated',
  'employee.deleted',
  'employee.password_changed',
  'employee.created',
  'employee.updated',
  'login.failed',
  'login.succeeded',
  'refresh.foreign_client',
  'refresh.reuse_detected',
  'scope.created',
  'scope.deleted',
  'session.ended',
  'signing_key.retired',
  'signing_key.rotated',
  'token.assisted',
  'token.branched',
  'token.company_switched',
  'token.revoked',
] as const;

/** A name on the list. */
export type AuditEventType = (typeof auditEventTypes)[number];
