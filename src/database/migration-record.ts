// Binds a migration and its record in `_prisma_migrations` into one transaction.
// Invariant: an unfinished record means that nothing of the file is in the database, wherever the process died.

const recordFinished = `
;
DO $record$
BEGIN
  IF to_regclass('_prisma_migrations') IS NOT NULL THEN
    UPDATE _prisma_migrations SET finished_at = now() WHERE finished_at IS NULL AND rolled_back_at IS NULL;
  END IF;
END
$record$;
`;

/** The script, followed by its own record. Must run as one multi-statement query, which is one transaction. */
export const withMigrationRecord = (script: string): string => `${script}${recordFinished}`;
