// The same operations in a small database and in a large one: a guest's and a service's tokens, a check of one, a refresh
// and a login must not cost more because there is more. GROWTH_ROWS=10000000 takes the large one ten times as large.

import { email, fill, refreshToken, sample } from '../kit/growth.mjs';
import { ask, graphql, many, operations, serviceToken } from '../kit/scopeward.mjs';

const SMALL = 10_000;
const LARGE = Number(process.env.GROWTH_ROWS ?? 1_000_000);
const LOGINS_PER_SECOND = 240;
const FAMILIES = 1_600;
const REFRESH =
  'mutation ($input: RefreshCustomerTokenInput!) { refreshCustomerToken(input: $input) { accessToken saasToken refreshToken } }';
const LOGIN =
  'mutation ($input: IssueCustomerTokenInput!) { issueCustomerToken(input: $input) { accessToken refreshToken } }';

/** @param {import('../kit/lab.mjs').Lab} lab @param {string} purpose @param {number} rows */
async function sidesOf(lab, purpose, rows) {
  const server = await lab.scopeward(purpose);
  await fill(server.databaseUrl, rows);
  const people = sample(rows, FAMILIES);
  const logins = await many(Math.ceil(lab.totalSeconds * LOGINS_PER_SECOND), async (index) => {
    const { issueAnonymousToken } = await ask(server, operations.anonymousToken());
    return [issueAnonymousToken.accessToken, email(people[index % people.length])];
  });
  const tokens = people.map((n) => [refreshToken(n)]);
  const check = operations.currentPrincipal(await serviceToken(server, 'demo-crm'));
  const refresh = graphql(REFRESH, { input: { refreshToken: '{{0}}' } });
  const login = graphql(LOGIN, {
    input: { anonymousToken: '{{0}}', email: '{{1}}', password: 'demo-password-1' },
  });
  return {
    'guest token': await lab.load(server, { ...operations.anonymousToken(), expect: '"refreshToken":"' }),
    'service token': await lab.load(server, { ...operations.serviceToken('demo-crm'), expect: '"accessToken":"' }),
    check: await lab.load(server, { ...check, expect: '"kind":"SERVICE"' }),
    refresh: await lab.load(server, {
      ...refresh,
      rows: tokens,
      expect: '"refreshToken":"',
      next: '"refreshToken":"([^"]+)"',
    }),
    login: await lab.load(server, { ...login, rows: logins, expect: '"refreshToken":"', once: true }),
  };
}

const OPERATIONS = ['guest token', 'service token', 'check', 'refresh', 'login'];
const figures = /** @type {const} */ (['perSecond', 'databaseMicroseconds', 'pages']);

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: `with ${SMALL} and with ${LARGE} sessions, customers and refresh tokens`,
  async sides(lab) {
    const [large, small] = [await sidesOf(lab, 'scopeward', LARGE), await sidesOf(lab, 'small', SMALL)];
    // Each beside its other half, so that what changes on the machine meanwhile changes both.
    return Object.fromEntries(
      Object.entries(large).flatMap(([name, side]) => [
        [`${name}, small`, small[/** @type {keyof typeof small} */ (name)]],
        [`${name}, large`, side],
      ]),
    );
  },
  times: { warmUp: 0.5, seconds: 0.5, rounds: 6 },
  targets: OPERATIONS.flatMap((name) =>
    figures
      .filter((figure) => figure === 'perSecond' || name === 'refresh' || name === 'login')
      .map((figure) => ({
        of: `${name}, large`,
        to: `${name}, small`,
        figure,
        ...(figure === 'perSecond' ? { atLeast: 0.9 } : {}),
      })),
  ),
};
