// Amounts of money as the schema has them: a currency and a decimal number, never a binary fraction. Pure.

import { badInput } from '../../errors/domain-error.ts';

/** An amount. */
export interface Money {
  /** ISO 4217: three capital letters. */
  readonly currency: string;
  /** A decimal number, such as `2500.00`. */
  readonly value: string;
}

const CURRENCY = /^[A-Z]{3}$/;
const VALUE = /^\d{1,15}(\.\d{1,4})?$/;

/** @throws BAD_USER_INPUT for what is no currency, or no amount from 0 with at most 15 digits and 4 decimals */
export function requireMoney({ currency, value }: Money, field: string): Money {
  if (!CURRENCY.test(currency)) throw badInput(`${field}.currency`, 'Three capital letters (ISO 4217).');
  if (!VALUE.test(value)) throw badInput(`${field}.value`, 'From 0, with at most 15 digits and 4 decimals.');
  return { currency, value };
}
