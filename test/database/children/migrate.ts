// A second migrator: applies the migrations of a folder to a PostgreSQL, and says when it begins and ends.

import { openRemote } from '../../../src/database/storage.ts';

const [url = '', folder] = process.argv.slice(2);
const storage = openRemote(url, 2, () => {});
process.stdout.write('begin\n');
await storage.migrate(folder);
process.stdout.write('end\n');
await storage.close();
