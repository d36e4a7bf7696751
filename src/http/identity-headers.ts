// Who a request speaks for, as headers for the services behind a gateway, and whether a request already carries such.
// Invariants: every header is always there, empty where there is nothing to say, so that gateways overwrite what a caller
// has sent; a value is visible ASCII, whatever a claim holds, so it can be neither split nor cut (security.md case 53).

import { subjectOf } from '../modules/principals/callers.ts';
import type { Principal } from '../modules/principals/principal.ts';

/** The headers of identity, as services get them. */
export const identityHeaders = [
  'legalEntityId',
  'Legal-Entity-Id',
  'X-Tenant',
  'X-Principal-Kind',
  'X-Principal-Id',
  'X-Session-Id',
  'X-Scopes',
  'X-Actor',
  'X-Identity-Assertion',
] as const;

/** Header by header, what it says. */
export type IdentityHeaders = Readonly<Record<(typeof identityHeaders)[number], string>>;

/** What is no visible ASCII is percent-encoded byte by byte, and the percent sign too: decoding gives the value back. */
const encoded = (value: string): string =>
  value.replace(/[^\x21-\x24\x26-\x7e]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join(''),
  );

/** Nobody's. */
export const nobody = Object.fromEntries(identityHeaders.map((name) => [name, ''])) as IdentityHeaders;

/** A principal's. */
export function headersOf(principal: Principal, assertion: string): IdentityHeaders {
  const { legalEntityId, actorId } = principal.kind === 'customer' ? principal : { legalEntityId: null, actorId: null };
  const company = encoded(legalEntityId ?? '');
  return {
    legalEntityId: company,
    'Legal-Entity-Id': company,
    'X-Tenant': encoded(principal.tenantId),
    'X-Principal-Kind': principal.kind,
    'X-Principal-Id': encoded(subjectOf(principal)),
    'X-Session-Id': principal.kind === 'service' ? '' : encoded(principal.sessionId),
    'X-Scopes': principal.scopes.map(encoded).join(' '),
    'X-Actor': encoded(actorId ?? ''),
    'X-Identity-Assertion': assertion,
  };
}

/** How a name looks to whoever reads it loosely: CGI and its heirs take every other character for the same underscore. */
const bare = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

const bareNames = new Set(identityHeaders.map(bare));

/**
 * Does a request carry a header of identity, in whatever spelling, or have one dropped by naming it in `Connection`
 * (RFC 9110 s.7.6.1)? `rawHeaders`: names and values in turn, as node has them.
 */
export function carriesIdentity(rawHeaders: readonly string[]): boolean {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = bare(rawHeaders[index]!);
    if (bareNames.has(name)) return true;
    if (name === 'connection' && rawHeaders[index + 1]!.split(',').some((option) => bareNames.has(bare(option))))
      return true;
  }
  return false;
}
