// Makes the demo data that tests copy: as `npm run db:seed` does, with passwords that are quickly checked.

import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { QUICK } from './password-cost.ts';

const config = readConfig({ ...process.env, SEED_DEMO: 'true' });
const app = await createApp(config, createLogger({ level: 'warn' }), { passwordCost: QUICK });
await app.start();
await app.stop();
