// Requests to better-auth, as a browser of its shop would send them. A row is somebody who has signed up: e-mail,
// cookies, and the ids of two organizations.

/** Whose pages ask: requests with cookies have to name it. */
export const origin = 'http://auth.bench.example';
export const password = 'demo-password-1';

/** @param {string} path @param {object} body @param {Record<string, string>} headers */
const post = (path, body, headers = {}) => ({
  path: `/api/auth${path}`,
  headers: { 'Content-Type': 'application/json', Origin: origin, ...headers },
  bodies: [JSON.stringify(body)],
});

export const signIn = () => post('/sign-in/email', { email: '{{0}}', password });

export const signInAnonymously = () => post('/sign-in/anonymous', {});

/** To and fro between the two organizations. */
export const switchOrganization = () => {
  const to = (/** @type {string} */ organizationId) =>
    post('/organization/set-active', { organizationId }, { Cookie: '{{1}}' });
  return { ...to('{{2}}'), bodies: [...to('{{2}}').bodies, ...to('{{3}}').bodies] };
};

/** `database`: past the cookie that caches the session. */
export const getSession = ({ database = false } = {}) => ({
  method: 'GET',
  path: `/api/auth/get-session${database ? '?disableCookieCache=true' : ''}`,
  headers: { Cookie: '{{1}}' },
  bodies: [''],
});
