// A small schema, declared with the real builder, that has every way to lead to a protected field; and callers.
// Each resolver that runs says so in `ran`, so that a test can prove that none did.

import type { GraphQLSchema } from 'graphql';
import { Repeater } from 'graphql-yoga';
import type { RequestContext } from '../../src/context.ts';
import { createBuilder } from '../../src/graphql/builder.ts';
import { createGraphQLContext, type Services } from '../../src/graphql/context.ts';
import { connectionOfArray } from '../../src/graphql/pagination.ts';
import { createGraphQLHandler } from '../../src/graphql/yoga.ts';
import type { Principal, ServicePrincipal } from '../../src/modules/principals/principal.ts';
import { authenticated, authenticatedAs, open, requires, requiresAnyOf } from '../../src/permissions/access.ts';
import { applyRuleTree } from '../../src/permissions/rule-tree.ts';

type Person = { type: 'Employee' | 'Customer'; id: string; name: string };
type Group = { id: string; name: string };
type Failure = 'sql' | 'prisma' | 'text' | 'none' | 'rejection' | 'outage' | 'graphql';

/** What `Query.fail` throws. */
const failures: Record<Failure, () => unknown> = {
  sql: () => new Error('SELECT secret FROM tokens WHERE id = 7'),
  prisma: () => Object.assign(new Error('Unique constraint failed on secret'), { code: 'P2002', clientVersion: '7' }),
  text: () => 'a secret that is no Error',
  none: () => undefined,
  rejection: () => ({ secret: true }),
  outage: () => new Error('secret host db.internal refused'),
  graphql: () => new Error('secret'),
};

/** Builds the schema; `ran` lists the resolvers and sources that ran. */
export function smallBuilder() {
  const ran: string[] = [];
  const builder = createBuilder();
  const people: Person[] = [
    { type: 'Employee', id: 'e1', name: 'Eve' },
    { type: 'Customer', id: 'c1', name: 'Carl' },
  ];
  const group: Group = { id: 'g1', name: 'Admins' };
  const log = <Value>(name: string, value: Value): Value => {
    ran.push(name);
    return value;
  };

  const Principal = builder.interfaceRef<Person>('Principal').implement({
    resolveType: (person) => (person.type === 'Employee' ? 'EmployeePrincipal' : 'CustomerPrincipal'),
    fields: (t) => ({
      id: t.exposeID('id'),
      // Declared on the interface: every implementer inherits it.
      sessions: t.stringList({
        access: requires('oauth.session_read'),
        resolve: () => log('Principal.sessions', ['s']),
      }),
      // Declared on one implementer only.
      name: t.exposeString('name'),
    }),
  });
  builder.objectType(builder.objectRef<Person>('EmployeePrincipal'), {
    name: 'EmployeePrincipal',
    interfaces: [Principal],
    fields: (t) => ({
      name: t.string({
        access: requires('iam.user_read'),
        resolve: (person) => log('EmployeePrincipal.name', person.name),
      }),
    }),
  });
  builder.objectType(builder.objectRef<Person>('CustomerPrincipal'), {
    name: 'CustomerPrincipal',
    interfaces: [Principal],
  });

  const Employee = builder.objectRef<Person>('Employee').implement({
    fields: (t) => ({
      id: t.exposeID('id'),
      salary: t.int({ access: requires('iam.user_read'), resolve: () => log('Employee.salary', 1) }),
    }),
  });
  const Customer = builder.objectRef<Person>('Customer').implement({
    fields: (t) => ({
      id: t.exposeID('id'),
      debt: t.int({
        access: requires('customermanagement.contactassignment_read'),
        resolve: () => log('Customer.debt', 1),
      }),
    }),
  });
  const GroupMember = builder.unionType('GroupMember', {
    types: [Employee, Customer],
    resolveType: (person) => person.type,
  });
  const GroupMemberConnection = builder.connectionObject({ type: GroupMember, name: 'GroupMemberConnection' });

  const GroupType = builder.objectRef<Group>('Group');
  GroupType.implement({
    fields: (t) => ({
      id: t.exposeID('id'),
      name: t.exposeString('name'),
      parent: t.field({ type: GroupType, nullable: true, resolve: (parent) => parent }),
      scopes: t.stringList({ access: requires('iam.access_read'), resolve: () => log('Group.scopes', ['a.b']) }),
      members: t.connection(
        {
          type: GroupMember,
          access: requiresAnyOf('iam.user_read', 'iam.user_read_own'),
          resolve: (_group, args) =>
            log(
              'Group.members',
              connectionOfArray('members', args, people, (person) => person.id),
            ),
        },
        GroupMemberConnection,
      ),
    }),
  });
  const GroupConnection = builder.connectionObject({ type: GroupType, name: 'GroupConnection' });

  builder.queryFields((t) => ({
    currentPrincipal: t.field({
      type: Principal,
      nullable: true,
      access: open,
      resolve: () => log('currentPrincipal', people[0]!),
    }),
    hello: t.string({ access: open, resolve: () => log('hello', 'world') }),
    me: t.string({ access: authenticated, resolve: (_root, _args, ctx) => log('me', ctx.tenantId) }),
    customersOnly: t.string({ access: authenticatedAs('customer'), resolve: () => log('customersOnly', 'yes') }),
    member: t.field({ type: GroupMember, access: open, resolve: () => log('member', people[0]!) }),
    group: t.field({
      type: GroupType,
      nullable: true,
      access: requiresAnyOf('iam.group_read', 'iam.group_read_own'),
      args: { id: t.arg.id({ required: true }) },
      resolve: () => log('group', group),
    }),
    openGroup: t.field({ type: GroupType, access: open, resolve: () => log('openGroup', group) }),
    groups: t.connection(
      {
        type: GroupType,
        access: requires('iam.group_read'),
        resolve: (_root, args) =>
          log(
            'groups',
            connectionOfArray('groups', args, [group], ({ id }) => id),
          ),
      },
      GroupConnection,
    ),
    signingKeys: t.stringList({ access: open, resolve: () => log('signingKeys', ['k']) }),
    fail: t.string({
      nullable: true,
      access: open,
      args: { how: t.arg.string({ required: true }) },
      resolve: (_root, { how }) => {
        throw failures[how as Failure]();
      },
    }),
    never: t.string({ access: open, resolve: () => new Promise<string>(() => {}) }),
    json: t.field({
      type: 'JSON',
      nullable: true,
      access: open,
      args: { value: t.arg({ type: 'JSON' }) },
      resolve: (_root, { value }) => value,
    }),
  }));
  builder.mutationType({});
  builder.mutationFields((t) => ({
    createGroup: t.field({
      type: GroupType,
      access: requires('iam.group_manage'),
      resolve: () => log('createGroup', group),
    }),
    touch: t.field({ type: GroupType, access: open, resolve: () => log('touch', group) }),
    issueCustomerToken: t.string({ access: open, resolve: () => log('issueCustomerToken', 't') }),
    refreshCustomerToken: t.string({ access: open, resolve: () => log('refreshCustomerToken', 't') }),
    issueSsoToken: t.string({ access: open, resolve: () => log('issueSsoToken', 't') }),
  }));

  const push: { now: (value: number) => void; stopped: boolean } = { now: () => {}, stopped: false };
  builder.subscriptionType({});
  builder.subscriptionFields((t) => ({
    revocations: t.int({
      access: requires('oauth.revocation_read'),
      subscribe: () =>
        log(
          'source of revocations',
          new Repeater<number>(async (emit, stop) => {
            push.now = emit;
            push.stopped = false;
            await stop;
            push.stopped = true;
          }),
        ),
      resolve: (value: number) => log('revocations', value),
    }),
  }));
  return { builder, ran, push };
}

/** The small schema without and with the second wall. */
export function smallSchema() {
  const { builder, ran, push } = smallBuilder();
  const plain = builder.toSchema();
  return { plain, guarded: applyRuleTree(plain), ran, push };
}

/** The small schema needs no use case. */
const noServices = {} as Services;

let tokens = 0;

/** A client that holds these scopes. */
export const clientWith = (...scopes: string[]): ServicePrincipal => {
  const now = Math.floor(Date.now() / 1000);
  tokens += 1;
  return {
    kind: 'service',
    tenantId: 't1',
    tokenId: `token${tokens}`,
    clientId: 'client1',
    scopes,
    issuedAt: now,
    expiresAt: now + 3600,
    rev: 0,
    revocationKeys: [],
  };
};

/** A request of this caller. */
export const requestOf = (principal: Principal | null): RequestContext => ({
  requestId: 'r1',
  ipAddress: null,
  userAgent: null,
  principal,
  credential: principal ? 'accepted' : 'none',
});

/** The context that resolvers see, without Yoga. */
export const contextOf = (principal: Principal | null) => createGraphQLContext(requestOf(principal), noServices);

/** The server around a schema. */
export function serverOf(
  schema: GraphQLSchema,
  options: {
    introspection?: boolean;
    isStillValid?: (principal: Principal) => boolean;
    timeout?: number;
    maxStreams?: number;
  } = {},
) {
  const logged: object[] = [];
  const handler = createGraphQLHandler({
    schema,
    services: noServices,
    config: { production: true, introspection: options.introspection ?? false },
    logger: { error: (entry) => logged.push(entry) },
    isStillValid: options.isStillValid ?? (() => true),
    ...(options.timeout === undefined ? {} : { operationTimeoutMilliseconds: options.timeout }),
    ...(options.maxStreams === undefined ? {} : { maxStreamsPerClient: options.maxStreams }),
  });

  /** Over HTTP, as far as Yoga is concerned. */
  async function fetch(
    body: unknown,
    principal: Principal | null,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return handler.yoga.fetch(
      'http://localhost/graphql',
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      },
      { requestContext: requestOf(principal) },
    );
  }

  /** One operation: the result. */
  async function ask(query: string, principal: Principal | null = null, variables?: object) {
    const response = await fetch({ query, variables }, principal);
    return (await response.json()) as {
      data?: Record<string, unknown> | null;
      errors?: { message: string; extensions: Record<string, unknown> }[];
    };
  }
  return { ...handler, fetch, ask, logged };
}

/** The first error's code; `ok` without errors. */
export const codeOf = (result: { errors?: readonly { extensions?: Record<string, unknown> }[] }): string =>
  result.errors ? String(result.errors[0]?.extensions?.code) : 'ok';
