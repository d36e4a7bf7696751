// One spelling per mail address, so that no two accounts look alike (security cases 71, 77, 80). Pure.
// Addresses are ASCII: an internationalised domain is written in its xn-- form. What is not such an address
// names no account; it is never folded into one that does.

import { badInput } from '../../errors/domain-error.ts';

const ADDRESS = /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

/** The canonical spelling, or null for what is not an address that an account may have. */
export function canonicalEmail(text: string): string | null {
  const address = text.trim().toLowerCase();
  return /^[\x21-\x7e]+$/.test(text.trim()) && address.length <= 254 && ADDRESS.test(address) ? address : null;
}

/** @throws BAD_USER_INPUT for what is not an address that an account may have. */
export function requireEmail(text: string, field: string): string {
  const address = canonicalEmail(text);
  if (address === null)
    throw badInput(field, 'This is not a mail address. International domains are written in xn-- form.');
  return address;
}

/** What attempts are counted by: look-alikes count as one, whether they are accounts or not. */
export const attemptKey = (text: string): string => text.normalize('NFKC').trim().toLowerCase().slice(0, 254);
