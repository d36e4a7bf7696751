// `npm run db:reset`: throws the embedded database away; the next start makes a new one, with the demo data.
// A PostgreSQL is never touched: drop that database yourself.

import { existsSync, rmSync } from 'node:fs';
import { readConfig } from '../src/config/config.ts';
import { lockFolder } from '../src/database/folder-lock.ts';

const { database, production } = readConfig();
if (database.kind !== 'folder') {
  console.error('db:reset is for the embedded database. Drop a PostgreSQL database yourself.');
  process.exit(1);
}
if (existsSync(database.path)) {
  // Whoever runs on it has to stop first.
  const unlock = await lockFolder(database.path, { production });
  rmSync(database.path, { recursive: true });
  unlock();
}
console.log(`${database.path} is gone. npm start makes a new one.`);
