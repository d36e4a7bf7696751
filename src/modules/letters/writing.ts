// Writing a letter, when it is about to be sent: only now is looked at whether there is an account, so whoever asked for
// it has waited as long with one as without. Invariant: the link's secret is made here and handed to the mail alone.

import type { TenantClient } from '../../database/database.ts';
import type { OutgoingMail } from '../../mail/mail.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { LetterTokens } from './letter-tokens.ts';
import { type Links, type Text, texts } from './texts.ts';

/** A letter that is due. */
export interface DueLetter {
  readonly tenantId: string;
  readonly id: string;
  readonly kind: 'REGISTRATION' | 'PASSWORD_RESET' | 'EMAIL_CHANGE' | 'EMAIL_CHANGE_NOTICE';
  readonly userType: 'CUSTOMER' | 'EMPLOYEE';
  readonly customerId: string | null;
  readonly address: string;
}

interface Account {
  readonly id: string;
  readonly email: string;
  readonly enabled: boolean;
  readonly unconfirmed: boolean;
  readonly hasPassword: boolean;
}

/** Locks the account before anything else, in the order in which every change of one does. */
async function holdAccount(tx: TenantClient, letter: DueLetter): Promise<Account | undefined> {
  const { tenantId, customerId, address } = letter;
  const [account] =
    letter.userType === 'EMPLOYEE'
      ? await tx.$queryRaw<Account[]>`
          SELECT id, email, enabled, false AS unconfirmed, password_hash IS NOT NULL AS "hasPassword" FROM employees
          WHERE tenant_id = ${tenantId} AND email = ${address} FOR NO KEY UPDATE`
      : customerId === null
        ? await tx.$queryRaw<Account[]>`
          SELECT id, email, enabled, unconfirmed, password_hash IS NOT NULL AS "hasPassword" FROM customers
          WHERE tenant_id = ${tenantId} AND email = ${address} FOR NO KEY UPDATE`
        : await tx.$queryRaw<Account[]>`
          SELECT id, email, enabled, unconfirmed, password_hash IS NOT NULL AS "hasPassword" FROM customers
          WHERE tenant_id = ${tenantId} AND id = ${customerId} FOR NO KEY UPDATE`;
  return account;
}

/** Was it withdrawn meanwhile? Held, so that whoever withdraws it now voids its link too. */
async function isStillDue(tx: TenantClient, { tenantId, id }: DueLetter): Promise<boolean> {
  const held = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM letters WHERE tenant_id = ${tenantId} AND id = ${id} FOR UPDATE`;
  return held.length > 0;
}

/** Writing of letters. */
export function createWriting(deps: { letterTokens: LetterTokens; links: Links }) {
  const { letterTokens } = deps;

  const linksOf = ({ settings }: Tenant): Links => ({
    storefrontUrl: settings.storefrontUrl ?? deps.links.storefrontUrl,
    consoleUrl: settings.consoleUrl ?? deps.links.consoleUrl,
  });

  async function textOf(tx: TenantClient, tenant: Tenant, letter: DueLetter, account: Account): Promise<Text | null> {
    const { name, settings } = tenant;
    const links = linksOf(tenant);
    const customer = { kind: 'customer', id: account.id } as const;
    switch (letter.kind) {
      case 'REGISTRATION':
        if (!account.unconfirmed) return texts.registeredAlready(name);
        return texts.confirmation(name, links, await letterTokens.mint(tx, letter, customer, 'CONFIRM_CUSTOMER'));
      case 'PASSWORD_RESET':
        if (letter.userType === 'CUSTOMER') {
          if (!settings.customerPasswords) return null;
          const token = await letterTokens.mint(tx, letter, customer, 'RESET_PASSWORD');
          return texts.passwordReset(name, links.storefrontUrl, token);
        }
        // An employee without a password was given none on purpose: single sign-on only.
        if (!settings.employeePasswords || !account.hasPassword) return null;
        return texts.passwordReset(
          name,
          links.consoleUrl,
          await letterTokens.mint(tx, letter, { kind: 'employee', id: account.id }, 'RESET_PASSWORD'),
        );
      case 'EMAIL_CHANGE': {
        if ((await tx.customer.count({ where: { email: letter.address } })) > 0) return texts.emailTaken(name);
        const token = await letterTokens.mint(tx, letter, customer, 'CHANGE_EMAIL', letter.address);
        return texts.emailChange(name, links, token);
      }
      case 'EMAIL_CHANGE_NOTICE':
        return texts.emailChangeNotice(name);
    }
  }

  /** In a transaction of its own. @returns null when there is nobody to write to, or nothing to say any more */
  return async function write(tx: TenantClient, tenant: Tenant, letter: DueLetter): Promise<OutgoingMail | null> {
    const account = await holdAccount(tx, letter);
    if (!account?.enabled || !(await isStillDue(tx, letter))) return null;
    const text = await textOf(tx, tenant, letter, account);
    return text && { to: letter.address, ...text };
  };
}
