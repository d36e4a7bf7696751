// What an administrator can set per tenant: lifetimes in seconds, the predefined scope sets, login rules, links.
// Invariant: an access token lives for a day at most, since revocation entries are kept for little longer.

import { z } from 'zod';
import { badInput } from '../../errors/domain-error.ts';
import { defaultAnonymousScopes, defaultCustomerScopes } from '../scopes/predefined-sets.ts';
import { LONGEST_ACCESS_TOKEN_SECONDS } from './token-life.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

const accessSeconds = (fallback: number) =>
  z.number().int().min(60).max(LONGEST_ACCESS_TOKEN_SECONDS).default(fallback);

const baseUrl = z.url({ protocol: /^https?$/ }).regex(/^[^?#]*[^?#/]$/, 'must not end with a slash');

const schema = z.object({
  serviceTokenSeconds: accessSeconds(4 * HOUR),
  employeeTokenSeconds: accessSeconds(900),
  anonymousTokenSeconds: accessSeconds(HOUR),
  customerTokenSeconds: accessSeconds(HOUR),
  assistedTokenSeconds: accessSeconds(900),
  /** From the login; refreshing does not extend it. */
  employeeSessionSeconds: z
    .number()
    .int()
    .min(300)
    .max(7 * DAY)
    .default(12 * HOUR),
  /** A guest's refresh token; each refresh extends it. Entries that revoke guests are kept longer than this. */
  anonymousRefreshSeconds: z.number().int().min(300).max(LONGEST_ACCESS_TOKEN_SECONDS).default(DAY),
  /** From the guest's first token, however often refreshed. */
  anonymousSessionSeconds: z
    .number()
    .int()
    .min(300)
    .max(365 * DAY)
    .default(30 * DAY),
  /** A customer's refresh token; each refresh extends it. */
  customerRefreshSeconds: z
    .number()
    .int()
    .min(300)
    .max(365 * DAY)
    .default(30 * DAY),
  /** From the customer's login, however often refreshed. */
  customerSessionSeconds: z
    .number()
    .int()
    .min(300)
    .max(730 * DAY)
    .default(180 * DAY),
  anonymousScopes: z.array(z.string()).default([...defaultAnonymousScopes]),
  customerScopes: z.array(z.string()).default([...defaultCustomerScopes]),
  customerPasswords: z.boolean().default(true),
  employeePasswords: z.boolean().default(true),
  /** Must the owner of an address confirm a new account, by mail, before anybody can sign in to it? */
  doubleOptIn: z.boolean().default(false),
  /** Bases of the links in letters to customers and to employees; null: those of the configuration. */
  storefrontUrl: baseUrl.nullable().default(null),
  consoleUrl: baseUrl.nullable().default(null),
  /** Whether a contact of a subsidiary becomes one of the companies above it, or the other way round. */
  contactPropagation: z.enum(['UPWARD', 'DOWNWARD', 'DISABLED']).default('UPWARD'),
});

/** A tenant's settings, defaults filled in. */
export type TenantSettings = Readonly<z.infer<typeof schema>>;

/** What a tenant has said of its settings; null: as by default. */
export type SettingsChange = { readonly [Name in keyof TenantSettings]?: TenantSettings[Name] | null };

/** What is to be stored after a change. @throws BAD_USER_INPUT naming the setting that there is not, or that breaks a limit */
export function changedSettings(stored: unknown, change: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const unknown = Object.keys(change).find((name) => !Object.hasOwn(schema.shape, name));
  if (unknown !== undefined) throw badInput(`settings.${unknown}`, 'There is no such setting.');
  const merged = Object.entries({ ...(stored as object), ...change }).filter(([, value]) => value !== null);
  const { error } = schema.safeParse(Object.fromEntries(merged));
  const [issue] = error?.issues ?? [];
  if (issue) throw badInput(`settings.${issue.path.join('.')}`, issue.message);
  return Object.fromEntries(merged);
}

/** Reads what is stored. @throws ZodError when it breaks a limit. */
export const parseTenantSettings = (stored: unknown): TenantSettings => schema.parse(stored ?? {});
