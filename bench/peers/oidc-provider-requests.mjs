// Requests to the token and introspection endpoints of oidc-provider.

const client = { client_id: 'bench', client_secret: 'bench-secret' };

/** @param {string} path @param {Record<string, string>} fields */
const form = (path, fields) => ({
  path,
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  bodies: [new URLSearchParams({ ...fields, ...client }).toString().replaceAll('%7B', '{').replaceAll('%7D', '}')],
});

/** A JWT for a resource. @param {{ resource: string, scope: string }} peer */
export const jwtForClient = ({ resource, scope }) =>
  form('/token', { grant_type: 'client_credentials', resource, scope });

/** An opaque token. @param {{ scope: string }} peer */
export const opaqueForClient = ({ scope }) => form('/token', { grant_type: 'client_credentials', scope });

export const refresh = () => form('/token', { grant_type: 'refresh_token', refresh_token: '{{0}}' });

export const introspect = () => form('/token/introspection', { token: '{{0}}' });
