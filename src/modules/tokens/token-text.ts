// What a token of ours looks like before anything in it is believed (RFC 7515 s.3.1). Pure: scopeward/verify ships it.
// Invariant: one token, one text. What does not re-encode to itself is no token, so no list of texts can be evaded.

/** No bearer token that we accept is longer, so none that we issue may be. */
export const MOST_TOKEN_CHARACTERS = 8192;

const SHAPE = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Why this text cannot be a token; null when it can. */
export function faultOf(token: string): string | null {
  if (token.length > MOST_TOKEN_CHARACTERS) return 'too long';
  if (!SHAPE.test(token)) return 'not a compact JWS';
  const isCanonical = token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
  return isCanonical ? null : 'not canonically encoded';
}

/** `typ` compares without case and without the prefix `application/` (RFC 7515 s.4.1.9). */
export const normalizedType = (typ: string | undefined) => typ?.toLowerCase().replace(/^application\//, '');
