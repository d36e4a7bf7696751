// What a provider says of a person, read out of its claims. Invariant: an address counts as proved only where the same
// document says so with the boolean true (OpenID Connect Core 1.0 s.5.7).

import { canonicalEmail } from '../principals/email.ts';
import type { IdentityProvider } from './identity-providers.ts';

/** A person, as a provider vouches for them. */
export interface ExternalPerson {
  readonly issuer: string;
  readonly subject: string;
  /** Canonical, and proved; null: none that is. */
  readonly verifiedEmail: string | null;
  readonly firstName: string | null;
  readonly lastName: string | null;
  /** The values of the claim of groups; null: the provider has no such claim. */
  readonly groups: readonly string[] | null;
}

type Document = Readonly<Record<string, unknown>>;

const MOST_NAME = 100;
const MOST_GROUPS = 500;

const text = (value: unknown): string | null =>
  typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, MOST_NAME) : null;

const list = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value])
    .filter((each): each is string => typeof each === 'string')
    .slice(0, MOST_GROUPS);

/** @param documents what the provider has said, in the order of preference: the id_token, then userinfo, say */
export function personIn(provider: IdentityProvider, subject: string, documents: readonly Document[]): ExternalPerson {
  const { issuer, emailClaim, firstNameClaim, lastNameClaim, groupClaim } = provider;
  const withEmail = documents.find((document) => document[emailClaim] !== undefined);
  const email = withEmail?.email_verified === true ? withEmail[emailClaim] : null;
  const find = (claim: string) => documents.find((document) => document[claim] !== undefined)?.[claim];
  return {
    issuer,
    subject,
    verifiedEmail: typeof email === 'string' ? canonicalEmail(email) : null,
    firstName: text(find(firstNameClaim)),
    lastName: text(find(lastNameClaim)),
    groups: groupClaim === null ? null : list(find(groupClaim)),
  };
}
