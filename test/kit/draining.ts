// Stopping a process in the middle of its work.

import { expect } from 'vitest';
import type { Answer } from './graphql.ts';
import type { ServiceProcess } from './process.ts';
import { tryEmployeeLogin, tryRefresh } from './stories.ts';

/** SIGTERM with forty logins under way, more than can be hashed at once, and one refresh more when it says that it isn't
 * ready: whoever balances the load learns of it while requests are still taken. It exits with 0, in time. */
export async function drainUnderLoad(
  at: ServiceProcess,
  refreshToken: string,
): Promise<{ logins: readonly Answer[]; late: Answer }> {
  const logins = Array.from({ length: 40 }, () => tryEmployeeLogin(at, 'admin@demo.example'));
  await Promise.race(logins);
  const began = performance.now();
  at.signal('SIGTERM');
  await expect.poll(at.readiness, { timeout: 3_000, interval: 10 }).toBe(503);
  const late = await tryRefresh(at, refreshToken);
  expect(await at.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeLessThan(25_000);
  return { logins: await Promise.all(logins), late };
}
