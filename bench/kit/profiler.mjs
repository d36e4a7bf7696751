// Loaded into Scopeward by `--import` with --profile: SIGUSR2 begins a CPU profile, and ends it into $BENCH_PROFILE.
// So the profile holds the measured rounds only, neither start nor warm-up.

import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

const session = new Session();
session.connect();
let isRunning = false;

process.on('SIGUSR2', async () => {
  isRunning = !isRunning;
  if (isRunning) {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 500 });
    await session.post('Profiler.start');
  } else {
    const { profile } = await session.post('Profiler.stop');
    writeFileSync(process.env.BENCH_PROFILE ?? 'scopeward.cpuprofile', JSON.stringify(profile));
  }
});
