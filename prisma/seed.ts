// `npm run db:seed`: makes the demo data in the configured database, and what is there already stays as it is.

import { createApp } from '../src/app.ts';
import { readConfig } from '../src/config/config.ts';
import { createLogger } from '../src/observability/logger.ts';

const config = readConfig({ ...process.env, SEED_DEMO: 'true' });
const app = await createApp(config, createLogger({ level: 'warn' }));
await app.start();
await app.stop();
console.log('The demo data is there. `npm start` says what to try.');
