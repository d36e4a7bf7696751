// Requests to better-auth, as a browser of its shop would send them. Cookies come from the rows of a plan.

/** Who has signed up there. @typedef {{ email: string, cookie: string, organizations: string[] }} Person */

/** Whose pages ask: requests with cookies have to name it. */
export const origin = 'http://auth.bench.example';
export const password = 'demo-password-1';

/** @param {string} path @param {object} body @param {Record<string, string>} headers */
const post = (path, body, headers = {}) => ({
  path: `/api/auth${path}`,
  headers: { 'Content-Type': 'application/json', Origin: origin, ...headers },
  bodies: [JSON.stringify(body)],
});

/** Row: e-mail. */
export const signIn = () => post('/sign-in/email', { email: '{{0}}', password });

export const signInAnonymously = () => post('/sign-in/anonymous', {});

/** To and fro between two organizations. Row: cookie, and their ids. */
export const switchOrganization = () => {
  const to = (/** @type {string} */ organizationId) =>
    post('/organization/set-active', { organizationId }, { Cookie: '{{0}}' });
  return { ...to('{{1}}'), bodies: [...to('{{1}}').bodies, ...to('{{2}}').bodies] };
};

/** Row: cookie. `database`: past the cookie that caches the session. */
export const getSession = ({ database = false } = {}) => ({
  method: 'GET',
  path: `/api/auth/get-session${database ? '?disableCookieCache=true' : ''}`,
  headers: { Cookie: '{{0}}' },
  bodies: [''],
});
