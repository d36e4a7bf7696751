// `npm run demo`: the whole story against a running service (SCOPEWARD_URL, default http://localhost:4000), each step
// in a few readable lines. Exits 1 if any step is not as expected. Uses nothing but fetch.

const url = process.env.SCOPEWARD_URL ?? 'http://localhost:4000';
const PASSWORD = 'demo-password-1';

interface Answer {
  data: Record<string, any> | null;
  errors?: { message: string; extensions: { code: string; missingScopes?: string[] } }[];
}

async function ask(query: string, variables: object = {}, bearer?: string): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}) },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as Answer;
}

async function granted(query: string, variables: object = {}, bearer?: string): Promise<any> {
  const { data, errors } = await ask(query, variables, bearer);
  if (errors || !data) throw new Error(`refused: ${JSON.stringify(errors)}`);
  return Object.values(data)[0];
}

async function refused(code: string, query: string, variables: object = {}, bearer?: string): Promise<string> {
  const { errors } = await ask(query, variables, bearer);
  if (errors?.[0]?.extensions.code !== code)
    throw new Error(`expected ${code}, got ${JSON.stringify(errors ?? 'an answer')}`);
  return `${code}: ${errors[0].message}`;
}

function expect(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`expected: ${what}`);
}

let number = 0;
async function step<T>(title: string, work: () => Promise<[T, ...string[]]>): Promise<T> {
  number += 1;
  process.stdout.write(`\n${String(number).padStart(2)}. ${title}\n`);
  const [result, ...lines] = await work();
  for (const line of lines) process.stdout.write(`    ${line}\n`);
  return result;
}

const short = (token: string) => `${token.slice(0, 18)}… (${token.length} characters)`;
const difference = (all: string[], without: string[]) => all.filter((scope) => !without.includes(scope));

const REFRESH = `mutation ($input: RefreshCustomerTokenInput!) { refreshCustomerToken(input: $input) {
  accessToken refreshToken sessionId scopes legalEntity { id name } } }`;
const ME = `{ currentPrincipal { kind scopes ... on CustomerPrincipal {
  customer { email } legalEntity { id name } legalEntities { id name } session { id } } } }`;

async function story(): Promise<void> {
  await step('An integration gets a service token, for some of its scopes', async () => {
    const token = await granted(
      `mutation { issueServiceToken(input: { clientId: "demo-crm", clientSecret: "demo-crm-secret", scopes: ["price.price_read"] }) {
        accessToken expiresIn scopes } }`,
    );
    expect(token.scopes.join() === 'price.price_read', 'exactly the scope that was asked for');
    return [token, `token   ${short(token.accessToken)}, ${token.expiresIn} s`, `scopes  ${token.scopes.join(' ')}`];
  });

  const guest = await step('A guest opens the storefront: a token, and not one row written', async () => {
    const token = await granted(
      `mutation { issueAnonymousToken(input: { tenant: "demo", clientId: "demo-storefront", currency: "EUR", language: "de" }) {
        accessToken refreshToken sessionId expiresIn scopes } }`,
    );
    return [token, `session ${token.sessionId}`, `scopes  ${token.scopes.join(' ')}`];
  });

  const customer = await step('The guest signs in and keeps the session', async () => {
    const token = await granted(
      `mutation ($input: IssueCustomerTokenInput!) { issueCustomerToken(input: $input) {
        accessToken saasToken refreshToken sessionId scopes customer { email } } }`,
      { input: { email: 'buyer@demo.example', password: PASSWORD, anonymousToken: guest.accessToken } },
    );
    expect(token.sessionId === guest.sessionId, 'the same session id');
    return [
      token,
      `who     ${token.customer.email}`,
      `session ${token.sessionId} (the same)`,
      `scopes  ${token.scopes.length}`,
    ];
  });

  await step('From now on the guest’s tokens are worthless', async () => {
    const answer = await refused(
      'INVALID_GRANT',
      'mutation ($t: String!) { refreshAnonymousToken(input: { refreshToken: $t }) { accessToken } }',
      { t: guest.refreshToken },
    );
    return [null, answer];
  });

  await step('Who am I, and which companies may I act for?', async () => {
    const me = await granted(ME, {}, customer.accessToken);
    expect(
      me.legalEntities.map(({ id }: { id: string }) => id).join() === 'acme,globex',
      'acme and globex to choose from',
    );
    return [
      me,
      `I am    ${me.customer.email}`,
      `choose  ${me.legalEntities.map(({ name }: { name: string }) => name).join(', ')}`,
    ];
  });

  const acme = await step('Act for ACME: a B2B token, without another login', async () => {
    const token = await granted(REFRESH, { input: { refreshToken: customer.refreshToken, legalEntityId: 'acme' } });
    const added = difference(token.scopes, customer.scopes);
    expect(token.legalEntity.id === 'acme' && token.sessionId === guest.sessionId, 'acme, in the same session');
    expect(added.includes('customer.customer_manage_own'), 'the scopes of an Admin of ACME');
    return [
      token,
      `company ${token.legalEntity.name}`,
      `scopes  ${customer.scopes.length} before, ${token.scopes.length} now`,
      `added   ${added.join(' ')}`,
    ];
  });

  const globex = await step('Switch to Globex, where the same person is a Buyer', async () => {
    const token = await granted(REFRESH, { input: { refreshToken: acme.refreshToken, legalEntityId: 'globex' } });
    const lost = difference(acme.scopes, token.scopes);
    expect(lost.includes('customer.customer_manage_own'), 'the Admin’s scopes stay with ACME');
    return [token, `company ${token.legalEntity.name}`, `lost    ${lost.join(' ')}`];
  });

  await step('A foreign company is refused, and nothing is spent', async () => {
    const initech = await refused('ACCESS_DENIED', REFRESH, {
      input: { refreshToken: globex.refreshToken, legalEntityId: 'initech' },
    });
    const unknown = await refused('ACCESS_DENIED', REFRESH, {
      input: { refreshToken: globex.refreshToken, legalEntityId: 'no-such' },
    });
    expect(initech === unknown, 'one answer for a foreign and an unknown company');
    return [null, `initech ${initech}`, `no-such ${unknown}`];
  });

  const alone = await step('Leave the company', async () => {
    const token = await granted(REFRESH, { input: { refreshToken: globex.refreshToken, legalEntityId: null } });
    expect(
      token.legalEntity === null && token.scopes.length === customer.scopes.length,
      'back to the customer’s own scopes',
    );
    return [token, `scopes  ${token.scopes.length}, as after the login`];
  });

  await step('A field that needs more is refused before anything runs', async () => {
    return [null, await refused('FORBIDDEN', '{ signingKeys { kid } currentPrincipal { id } }', {}, alone.accessToken)];
  });

  const admin = await step('An employee signs in', async () => {
    const token = await granted(
      `mutation { issueEmployeeToken(input: { tenant: "demo", email: "admin@demo.example", password: "${PASSWORD}" }) {
        accessToken scopes expiresIn employee { email } } }`,
    );
    const keys = await granted('{ signingKeys { kid status } }', {}, token.accessToken);
    return [
      token,
      `who     ${token.employee.email}, ${token.scopes.length} scopes, ${token.expiresIn} s`,
      `keys    ${keys.map(({ status }: { status: string }) => status).join(', ')}`,
    ];
  });

  await step('Another tenant’s employee sees nothing of it', async () => {
    const rival = await granted(
      `mutation { issueEmployeeToken(input: { tenant: "rival", email: "admin@rival.example", password: "${PASSWORD}" }) { accessToken } }`,
    );
    const seen = await granted(
      'query ($t: String!) { introspectToken(token: $t) { active tenant } }',
      { t: admin.accessToken },
      rival.accessToken,
    );
    expect(seen.active === false && seen.tenant === null, 'inactive, and nothing else');
    return [null, `introspection of demo’s token at rival: ${JSON.stringify(seen)}`];
  });

  await step('Logging out is felt at once', async () => {
    const { sessionsEnded } = await granted('mutation { logout { sessionsEnded } }', {}, alone.accessToken);
    expect(sessionsEnded === 1, 'one session ended');
    const me = await ask(ME, {}, alone.accessToken);
    expect(me.data?.currentPrincipal === null, 'the access token is nobody’s now');
    const refresh = await refused('INVALID_GRANT', REFRESH, { input: { refreshToken: alone.refreshToken } });
    return [null, 'access   currentPrincipal is null', `refresh  ${refresh}`];
  });
}

process.stdout.write(`Scopeward at ${url}\n`);
try {
  await story();
  process.stdout.write('\nEvery step was as expected.\n');
} catch (error) {
  const reason =
    error instanceof TypeError ? `nothing answers at ${url}: is it running? (npm start)` : (error as Error).message;
  process.stdout.write(`    NOT AS EXPECTED: ${reason}\n`);
  process.exitCode = 1;
}
