// The claims of a token, read as strictly as Scopeward itself reads them (modules/tokens/claims.ts), by hand, so that
// whoever verifies needs no schema library. Invariant: a claim that is missing or of another type makes it no token;
// the types below are the service's own, so a claim that is added there stops this from compiling or from passing.

import type { ClaimsOf } from '../modules/tokens/claims.ts';

/** What is shown to a service: a bearer, or the saas token beside it. */
export type AccessClaims = ClaimsOf<'service' | 'employee' | 'anonymous' | 'customer' | 'saas'>;

/** Is a claim what it has to be? */
export type Check = (value: unknown) => boolean;

/** A text, perhaps an empty one. */
export const isString: Check = (value) => typeof value === 'string';
/** A text with something in it. */
export const isText: Check = (value) => typeof value === 'string' && value !== '';
/** A whole number from 0 on. */
export const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isTexts: Check = (value) => Array.isArray(value) && value.every(isString);
const isNullableString: Check = (value) => value === null || isString(value);
/** That, or not there. */
export const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
/** An object whose members are these; others may be there. */
export const object =
  (members: Readonly<Record<string, Check>>): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(members).every(([name, check]) => check((value as Record<string, unknown>)[name]));

const common = {
  iss: isString,
  aud: isString,
  sub: isText,
  client_id: isText,
  tenant: isText,
  scope: isString,
  iat: isCount,
  exp: isCount,
  jti: isText,
  rev: isCount,
};
const groups = optional(isTexts);
const visit = { ...common, session_id: isText };
const customer = { ...visit, legalEntityId: optional(isText), groups, act: optional(object({ sub: isText })) };
const context = object({
  siteCode: isNullableString,
  currency: isNullableString,
  language: isNullableString,
  targetLocation: isNullableString,
});

type Shapes = {
  readonly [Kind in AccessClaims['kind']]: { readonly [Name in keyof Omit<ClaimsOf<Kind>, 'kind'>]: Check };
};

const shapes = {
  service: common,
  employee: { ...visit, groups },
  anonymous: { ...visit, session_started_at: isCount, context },
  customer: { ...customer, ctx: optional(isString) },
  saas: customer,
} satisfies Shapes;

/** The claims of a verified payload; null for what is not exactly that. */
export function readClaims(payload: Readonly<Record<string, unknown>>): AccessClaims | null {
  const { kind } = payload;
  if (typeof kind !== 'string' || !Object.hasOwn(shapes, kind)) return null;
  return object(shapes[kind as AccessClaims['kind']])(payload) ? (payload as unknown as AccessClaims) : null;
}
