// No sequence of permitted mutations raises anyone above the acting principal (security.md cases 98 and 99, as a
// property): random sequences by random delegated administrators, through GraphQL. After each mutation that is permitted,
// what anybody has more than before is what the actor's token allows; a refused one has changed nothing.
// PROPERTY_RUNS=500 for the long run; fast-check prints the seed of a counterexample.

import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { builtInScopes } from '../../src/modules/scopes/registry.ts';
import { givenTenant } from '../kit/given.ts';
import { type Service, theService } from '../kit/service.ts';
import { mutate, mutations, outcomeOf, type Token } from './i-administration-acts.ts';
import { actorsOf, type Call, calls, randomCalls, variablesOf } from './i-administration-calls.ts';
import {
  begin,
  beginnings,
  EVERYTHING,
  entitlementsIn,
  type Rows,
  read,
  type Tenant,
} from './i-administration-world.ts';

const RUNS = Number(process.env.PROPERTY_RUNS ?? 12);

let service: Service;
let tenant: Tenant;
beforeAll(async () => {
  service = await theService();
  tenant = await givenTenant(service);
});

/** The two rules of product.md section 3, written down once more: another spelling, and wide over `_own`. */
function allows(held: ReadonlySet<string>, scope: string): boolean {
  const other = scope.replace(
    /_(read|view)((?:_own)*)$/,
    (_, word, rest) => `_${word === 'read' ? 'view' : 'read'}${rest}`,
  );
  const wide = scope.replace(/_own$/, '');
  return held.has(scope) || held.has(other) || (wide !== scope && allows(held, wide));
}

/** What somebody has after it that neither they had before nor the actor has. */
function raised(before: Rows, after: Rows, actor: Token, name: string): string[] {
  const [had, has] = [entitlementsIn(before), entitlementsIn(after)];
  const every = [...builtInScopes, ...before.scopes.map(({ id }) => id)];
  const held = new Set(actor.scopes);
  if (every.every((scope) => held.has(scope))) held.add(EVERYTHING);
  const defined = after.scopes.map(({ id }) => id).filter((id) => !before.scopes.some((scope) => scope.id === id));
  return [...has].flatMap(([who, scopes]) => {
    const own = had.get(who) ?? new Set();
    // Who has everything, whatever comes, has what is defined by its meaning.
    const isMeant = (scope: string) => name === 'createScope' && own.has(EVERYTHING) && defined.includes(scope);
    return [...scopes]
      .filter((scope) => !allows(own, scope) && !allows(held, scope) && !isMeant(scope))
      .map((scope) => `${who} has ${scope}`);
  });
}

const seen = { permitted: new Map<string, number>(), refused: new Map<string, number>() };
const count = (of: Map<string, number>, key: string) => void of.set(key, (of.get(key) ?? 0) + 1);

async function play(sequence: readonly Call[]): Promise<void> {
  const actors = actorsOf(tenant);
  const tokens = new Map<string, Token>();
  const secrets = new Map<string, string>();
  let before = await read(service, tenant.id);
  for (const call of sequence) {
    const actor = actors[call.actor]!;
    const last = call.isFresh ? undefined : tokens.get(actor.name);
    const token = last ?? (await actor.token(service, tenant, secrets));
    if (!token) continue;
    tokens.set(actor.name, token);
    const variables = variablesOf(call, before);
    const select = call.name === 'rotateClientSecret' ? 'clientSecret' : '__typename';
    const answer = await mutate(service, token.accessToken, call.name, variables, select);
    const outcome = outcomeOf(answer);
    const after = await read(service, tenant.id);
    const told = { by: actor.name, ...call, variables, outcome };
    if (outcome !== 'done') {
      expect({ told, rows: after }).toEqual({ told, rows: before });
      count(seen.refused, outcome.split(' ')[0]!);
      continue;
    }
    count(seen.permitted, call.name);
    // What was accepted says no more than its holder has: whatever takes from it, ends it.
    const holds = entitlementsIn(before).get(actor.name) ?? new Set();
    expect({ told, stale: token.scopes.filter((scope) => !allows(holds, scope)) }).toEqual({ told, stale: [] });
    expect({ told, raised: raised(before, after, token, call.name) }).toEqual({ told, raised: [] });
    if (call.name === 'rotateClientSecret') {
      const client = after.clients.find(({ id }) => id === variables.id)!;
      const held = new Set(token.scopes);
      // Whoever has the secret has what the client has.
      expect({ told, beyond: client.scopes.filter((scope) => !allows(held, scope)) }).toEqual({ told, beyond: [] });
      secrets.set(client.id, answer.data.rotateClientSecret.clientSecret);
    }
    before = after;
  }
}

it('every mutation of administration is among the random calls', () => {
  const iam = mutations.filter((name) => /^(create|update|delete|add|remove|rotateClient)/.test(name));
  // Companies give what their groups do; their own tests are of section D.
  // What a provider vouches for is of section F.
  const others = /^updateSessionContext$|LegalEntity$|Location$|IdentityProvider$/;
  expect(iam.filter((name) => !others.test(name))).toEqual(Object.keys(calls).sort());
});

it(`nobody is raised above the acting principal, in ${RUNS} random sequences`, {
  timeout: 60_000 + RUNS * 20_000,
}, async () => {
  const property = fc.asyncProperty(beginnings, randomCalls, async (beginning, sequence) => {
    await begin(service, tenant, beginning);
    await play(sequence);
  });
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true });

  // It was no empty exercise.
  const [permitted, forbidden] = [[...seen.permitted.values()], seen.refused.get('FORBIDDEN:') ?? 0];
  expect(permitted.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(RUNS);
  expect(seen.permitted.size).toBeGreaterThan(5);
  expect(forbidden).toBeGreaterThan(RUNS / 2);
  expect([...seen.refused.keys()].filter((key) => /SERVER|UNAVAILABLE|COMPLEX/.test(key))).toEqual([]);
});
