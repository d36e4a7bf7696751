// The claims of our tokens: RFC 9068 s.2.2 (`groups`: s.2.2.3.1) and our own. Reading them is strict, since a claim
// that is missing or of another type must never be taken for a harmless one (RFC 8725 s.3.2, s.3.8 to 3.11).

import { z } from 'zod';

const seconds = z.number().int().nonnegative();

const guestContext = z.object({
  siteCode: z.string().nullable(),
  currency: z.string().nullable(),
  language: z.string().nullable(),
  targetLocation: z.string().nullable(),
});

const common = {
  iss: z.string(),
  aud: z.string(),
  sub: z.string().min(1),
  client_id: z.string().min(1),
  tenant: z.string().min(1),
  scope: z.string(),
  iat: seconds,
  exp: seconds,
  jti: z.string().min(1),
  /** The last revocation number that the issuer had seen before it read the facts. */
  rev: seconds,
};

const session = { session_id: z.string().min(1) };
const company = { legalEntityId: z.string().min(1).optional() };
/** The groups that the token answers to: those of its bearer, and of the employee in `act`. */
const groups = { groups: z.array(z.string()).optional() };
/** The employee who acts for the customer (RFC 8693 s.4.1). */
const actor = { act: z.object({ sub: z.string().min(1) }).optional() };
/** A JWE (RFC 7516) of what identifies a shopper; see context-encryption.ts. */
const personal = { ctx: z.string().optional() };

/** The claims of each kind of token that we sign. */
export const claimsSchema = z.discriminatedUnion('kind', [
  z.object({ ...common, kind: z.literal('service') }),
  z.object({ ...common, ...session, ...groups, kind: z.literal('employee') }),
  z.object({ ...common, ...session, kind: z.literal('anonymous'), session_started_at: seconds, context: guestContext }),
  z.object({
    ...common,
    ...session,
    ...company,
    ...groups,
    ...personal,
    ...actor,
    kind: z.literal('customer'),
  }),
  z.object({ ...common, ...session, ...company, ...groups, ...actor, kind: z.literal('saas') }),
  z.object({
    ...common,
    ...session,
    kind: z.literal('anonymous-refresh'),
    session_started_at: seconds,
    context: guestContext,
  }),
]);

/** What a token of ours says. */
export type Claims = z.infer<typeof claimsSchema>;

/** A kind of signed token. */
export type TokenKind = Claims['kind'];

/** The claims of one kind. */
export type ClaimsOf<Kind extends TokenKind> = Extract<Claims, { kind: Kind }>;

/** What the kind adds to the claims that every token has. */
export type OwnClaims<Kind extends TokenKind> = Omit<
  ClaimsOf<Kind>,
  'iss' | 'aud' | 'tenant' | 'scope' | 'iat' | 'exp' | 'jti' | 'rev' | 'kind'
>;
