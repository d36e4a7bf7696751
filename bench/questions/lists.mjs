// Lists of a shop with 100 000 customers and 10 000 groups beside the same pages of a small shop: a page costs what a
// page costs, wherever it begins and however much there is besides. Asked by the demo's administrator.

import { query } from '../kit/cluster.mjs';
import { createProfile } from '../kit/profile.mjs';
import { ask, graphql } from '../kit/scopeward.mjs';
import { fillShop, LARGE_GROUP, searchTexts } from '../kit/shop.mjs';

const LARGE = { customers: 100_000, employees: 1_000, groups: 10_000, inLargeGroup: 10_000 };
const SMALL = { customers: 1_000, employees: 1_000, groups: 100, inLargeGroup: 50 };
const PAGE = 50;

const CUSTOMERS = `query ($after: String, $search: String) {
  customers(first: ${PAGE}, after: $after, search: $search) {
    nodes { id customerNumber email firstName lastName enabled } pageInfo { hasNextPage endCursor }
  }
}`;
const COUNTED = CUSTOMERS.replace('nodes {', 'totalCount nodes {');
const GROUPS = `query ($after: String) { groups(first: ${PAGE}, after: $after) { nodes { id name } } }`;
const WITH_CONTENTS = `{
  groups(first: ${PAGE}) {
    nodes {
      id name members(first: 10) { nodes { ... on Customer { id email } ... on Employee { id email } } }
      accessControls { id name } scopes
    }
  }
}`;
const members = (/** @type {'first' | 'last'} */ which) =>
  `query ($id: ID!) { group(id: $id) { members(${which}: ${PAGE}) { nodes { ... on Customer { id email } } } } }`;

/** @param {Awaited<ReturnType<import('../kit/lab.mjs').Lab['scopeward']>>} server */
async function administrator(server) {
  const input = { tenant: 'demo', email: 'admin@demo.example', password: 'demo-password-1' };
  const issue = 'mutation ($input: IssueEmployeeTokenInput!) { issueEmployeeToken(input: $input) { accessToken } }';
  const { issueEmployeeToken } = await ask(server, graphql(issue, { input }));
  const headers = { Authorization: `Bearer ${issueEmployeeToken.accessToken}` };
  return (/** @type {string} */ document, variables = {}) => graphql(document, variables, headers);
}

/**
 * The cursor so many rows before the end of a list, reached backwards.
 * @param {Awaited<ReturnType<import('../kit/lab.mjs').Lab['scopeward']>>} server
 * @param {Awaited<ReturnType<typeof administrator>>} as @param {'customers' | 'groups'} list @param {number} rows
 */
async function beforeEnd(server, as, list, rows) {
  const document = `query ($before: String) { ${list}(last: 200, before: $before) { pageInfo { startCursor } } }`;
  let before = null;
  for (let gone = 0; gone < rows; gone += 200) {
    before = (await ask(server, as(document, { before })))[list].pageInfo.startCursor;
  }
  return before;
}

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: 'pages of 50 among 100 000 customers and 10 000 groups, and of a small shop',
  async sides(lab) {
    const profile = createProfile('enforcement');
    const [large, small] = [await lab.scopeward('scopeward', profile), await lab.scopeward('small')];
    await fillShop(large.databaseUrl, LARGE);
    await fillShop(small.databaseUrl, SMALL);
    const [inLarge, inSmall] = [await administrator(large), await administrator(small)];
    const customersAfter = await beforeEnd(large, inLarge, 'customers', 1_000);
    const groupsAfter = await beforeEnd(large, inLarge, 'groups', 200);
    const [{ id }] = await query(large.databaseUrl, 'SELECT id FROM groups WHERE name = $1', [LARGE_GROUP]);

    /** What a page is expected to contain: the last of its items. @param {typeof large} server @param {ReturnType<typeof graphql>} plan */
    async function page(server, plan, items = PAGE) {
      const { customers, groups, group } = await ask(server, plan);
      const { nodes } = customers ?? groups ?? group.members;
      if (nodes.length !== items) throw new Error(`A page of ${nodes.length}: ${plan.bodies[0]}`);
      return lab.load(server, { ...plan, expect: `"id":"${nodes.at(-1).id}"` });
    }
    /** The same page once more, and what deciding who may takes of it. */
    function profiled(/** @type {import('../kit/lab.mjs').Side} */ side) {
      return {
        async measure(/** @type {number} */ seconds) {
          profile.begin(large.pid);
          const figures = await side.measure(seconds);
          await profile.end(large.pid);
          return { ...figures, enforcement: profile.enforcement() };
        },
      };
    }
    const groupsWithAll = await page(large, inLarge(WITH_CONTENTS));
    return {
      'customers, small shop': await page(small, inSmall(CUSTOMERS)),
      customers: await page(large, inLarge(CUSTOMERS)),
      'customers, far behind': await page(large, inLarge(CUSTOMERS, { after: customersAfter })),
      'customers, with totalCount': await page(large, inLarge(COUNTED)),
      'customers, search for many': await page(large, inLarge(CUSTOMERS, { search: searchTexts.common })),
      'customers, search for one': await page(large, inLarge(CUSTOMERS, { search: searchTexts.rare }), 1),
      'groups, small shop': await page(small, inSmall(GROUPS)),
      groups: await page(large, inLarge(GROUPS)),
      'groups, far behind': await page(large, inLarge(GROUPS, { after: groupsAfter })),
      'groups with all, small shop': await page(small, inSmall(WITH_CONTENTS)),
      'groups with all': groupsWithAll,
      // A run for a profile has one of its own.
      ...(lab.isProfiling ? {} : { 'groups with all, profiled': profiled(groupsWithAll) }),
      'members of 10 000, first': await page(large, inLarge(members('first'), { id })),
      'members of 10 000, last': await page(large, inLarge(members('last'), { id })),
    };
  },
  times: { warmUp: 0.5, seconds: 1, rounds: 3 },
  targets: [
    ...['customers', 'groups', 'groups with all'].map((of) => ({ of, to: `${of}, small shop`, atLeast: 0.7 })),
    { of: 'customers, far behind', to: 'customers', atLeast: 0.8 },
    { of: 'customers', to: 'customers, far behind', atLeast: 0.8 },
    { of: 'groups, far behind', to: 'groups', atLeast: 0.8 },
    { of: 'groups', to: 'groups, far behind', atLeast: 0.8 },
    { of: 'members of 10 000, last', to: 'members of 10 000, first', atLeast: 0.8 },
    { of: 'groups with all, profiled', figure: 'enforcement', atMost: 5 },
    { of: 'customers, with totalCount', to: 'customers' },
    { of: 'customers, search for many', to: 'customers' },
    { of: 'customers, search for one', to: 'customers' },
    ...[
      { of: 'customers', atMost: 1 },
      { of: 'customers, far behind', atMost: 1 },
      { of: 'customers, with totalCount', atMost: 2 },
      { of: 'groups', atMost: 1 },
      { of: 'groups, far behind', atMost: 1 },
      { of: 'groups with all', atMost: 6 },
    ].map((target) => ({ ...target, figure: /** @type {const} */ ('statements') })),
  ],
};
