// Speaking OAuth to a service over HTTP: forms to `/oauth/*`, as a client by Basic, by the body, or by its name.

import type { Service } from './service.ts';

type At = Pick<Service, 'url'>;

/** An answer: what every assertion is about. */
export interface OauthAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined where the body is empty. */
  readonly body: any;
  /** `error` of the body. */
  readonly error: string | undefined;
}

type Parameters = Readonly<Record<string, string | undefined>>;

/** Posts a body as it is. */
export async function postText(
  at: At,
  path: string,
  text: string,
  headers: Record<string, string> = {},
): Promise<OauthAnswer> {
  const response = await fetch(`${at.url}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
    body: text,
  });
  const answer = await response.text();
  const body = answer === '' ? undefined : JSON.parse(answer);
  return { status: response.status, headers: response.headers, text: answer, body, error: body?.error };
}

const textOf = (parameters: Parameters): string =>
  new URLSearchParams(
    Object.entries(parameters).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, value]],
    ),
  ).toString();

/** Posts a form. Parameters that are undefined are left out. */
export const post = (at: At, path: string, parameters: Parameters, headers?: Record<string, string>) =>
  postText(at, path, textOf(parameters), headers);

/** The header by which a client proves itself, encoded as RFC 6749 section 2.3.1 has it. */
export const basic = (clientId: string, clientSecret: string): { Authorization: string } => {
  const half = (text: string) => textOf({ x: text }).slice(2);
  return { Authorization: `Basic ${Buffer.from(`${half(clientId)}:${half(clientSecret)}`).toString('base64')}` };
};

/** As the back end of the demo. */
export const asBackend = basic('demo-backend', 'demo-backend-secret');

/** Asks for a token. */
export const askToken = (at: At, parameters: Parameters, headers?: Record<string, string>) =>
  post(at, '/oauth/token', parameters, headers);

/** Refreshes as a public client. */
export const tryRefreshAs = (at: At, clientId: string, refreshToken: string, rest: Parameters = {}) =>
  askToken(at, { grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken, ...rest });

/** Asks what a token says. */
export const introspectAs = (at: At, token: string, headers: Record<string, string> = asBackend) =>
  post(at, '/oauth/introspect', { token }, headers);

/** Gives a token back as a public client. */
export const revokeAs = (at: At, clientId: string, token: string) =>
  post(at, '/oauth/revoke', { token, client_id: clientId });

/** What an answer is, in short: for whole-answer comparisons. */
export const shortly = ({ status, error, headers }: OauthAnswer) => [
  status,
  error,
  headers.get('www-authenticate')?.split(' ')[0] ?? null,
];
