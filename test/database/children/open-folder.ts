// A second process: opens the PGlite folder it is given, says so, and stays. Exits 1 with the reason if it cannot.

import { openDatabase } from '../../../src/database/database.ts';

try {
  await openDatabase(
    { kind: 'folder', path: process.argv[2] ?? '' },
    { production: false, logger: { warn: () => {} } },
  );
  process.stdout.write('open\n');
  setInterval(() => {}, 1_000);
} catch (error) {
  process.stderr.write(String(error));
  process.exit(1);
}
