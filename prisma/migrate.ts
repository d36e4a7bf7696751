// `npm run db:migrate`: brings the configured database to the schema of this version. The service does the same
// when it starts; this is for deployments that migrate first.

import { readConfig } from '../src/config/config.ts';
import { openEmbedded, openRemote } from '../src/database/storage.ts';

const { database, production } = readConfig();
const storage =
  database.kind === 'postgresql'
    ? openRemote(database.url, 2, () => {})
    : await openEmbedded(database.kind === 'folder' ? database.path : undefined, { production });
try {
  const applied = await storage.migrate();
  console.log(applied.length > 0 ? `Applied: ${applied.join(', ')}` : 'Nothing to apply.');
} finally {
  await storage.close();
}
