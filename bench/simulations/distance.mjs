// The database further away: what one request takes with nobody else there, when everything between the service and
// PostgreSQL arrives 0, 5 or 20 ms later each way. What grows is the number of round trips in a row.

import { email, refreshToken, sample } from '../kit/growth.mjs';
import { ask, graphql, operations, serviceToken, startScopeward } from '../kit/scopeward.mjs';
import { quantile, ROWS, simulate } from '../kit/simulation.mjs';
import { slowLine } from '../kit/slow-line.mjs';

const TIMES = 25;
const LOGIN =
  'mutation ($input: IssueCustomerTokenInput!) { issueCustomerToken(input: $input) { accessToken refreshToken } }';
const REFRESH =
  'mutation ($input: RefreshCustomerTokenInput!) { refreshCustomerToken(input: $input) { refreshToken } }';
const LOGOUT = 'mutation { logout { sessionsEnded } }';

/** @param {() => Promise<unknown>} run */
async function milliseconds(run) {
  const began = performance.now();
  await run();
  return performance.now() - began;
}

await simulate(async (_cluster, newDatabase) => {
  /** @type {Record<string, Record<string, number>>} */
  const table = {};
  for (const each of [0, 5, 20]) {
    const server = await startScopeward(await slowLine(await newDatabase(`distance_${each}`), each));
    const people = sample(ROWS, TIMES * 2);
    const check = operations.currentPrincipal(await serviceToken(server, 'demo-crm'));
    /** @type {{ anonymous: string, customer: string }[]} */
    const visits = [];
    /** @type {Record<string, (time: number) => Promise<unknown>>} */
    const steps = {
      'guest token': async (time) => {
        const { issueAnonymousToken } = await ask(server, operations.anonymousToken());
        visits[time] = { anonymous: issueAnonymousToken.accessToken, customer: '' };
      },
      'service token': () => serviceToken(server, 'demo-crm'),
      check: () => ask(server, check),
      refresh: (time) =>
        ask(server, graphql(REFRESH, { input: { refreshToken: refreshToken(people[time + TIMES] ?? 0) } })),
      login: async (time) => {
        const visit = visits[time];
        const input = {
          anonymousToken: visit?.anonymous,
          email: email(people[time] ?? 0),
          password: 'demo-password-1',
        };
        const { issueCustomerToken } = await ask(server, graphql(LOGIN, { input }));
        if (visit) visit.customer = issueCustomerToken.accessToken;
      },
      logout: (time) => ask(server, graphql(LOGOUT, {}, { Authorization: `Bearer ${visits[time]?.customer}` })),
    };
    for (const [name, step] of Object.entries(steps)) {
      const taken = [];
      for (let time = 0; time < TIMES; time += 1) taken.push(await milliseconds(() => step(time)));
      table[name] = { ...table[name], [`${each} ms each way`]: Number(quantile(taken).toFixed(1)) };
    }
    await server.stop();
  }
  for (const [name, row] of Object.entries(table)) {
    const [near = 0, , far = 0] = Object.values(row);
    table[name] = { ...row, 'round trips in a row': Math.max(0, Math.round((far - near) / 40)) };
  }
  console.log(`Median of ${TIMES}, one request at a time, in milliseconds`);
  console.table(table);
});
