// What people do about their accounts by mail, as single steps: register, confirm, ask for a password, change an address.

import { randomUUID } from 'node:crypto';
import type { LetterOwner, LetterPurpose } from '../../src/modules/letters/letter-tokens.ts';
import { type Answer, graphql } from './graphql.ts';
import type { Service } from './service.ts';

type At = Pick<Service, 'url'>;

/** An address that nobody has yet. */
export const newEmail = (): string => `new-${randomUUID()}@test.example`;

/** An acceptable password that nobody has yet. */
export const newPassword = (): string => `new ${randomUUID()}`;

const acknowledging = (field: string, type: string) => (at: At, input: object, bearer?: string) =>
  graphql(at, `mutation ($input: ${type}!) { ${field}(input: $input) { acknowledged } }`, {
    bearer,
    variables: { input },
  });
const confirming = (field: string) => (at: At, token: string, bearer?: string) =>
  graphql(at, `mutation ($token: String!) { ${field}(token: $token) { acknowledged } }`, {
    bearer,
    variables: { token },
  });

/** Mutation.registerCustomer. */
export const tryRegister = (at: At, bearer: string | undefined, input: object): Promise<Answer> =>
  graphql(
    at,
    `mutation ($input: RegisterCustomerInput!) { registerCustomer(input: $input) {
      id customerNumber email firstName lastName enabled confirmed version } }`,
    { bearer, variables: { input } },
  );

/** Mutation.confirmCustomer. */
export const tryConfirm = confirming('confirmCustomer');

const requestReset = acknowledging('requestPasswordReset', 'RequestPasswordResetInput');
/** Mutation.requestPasswordReset. */
export const tryRequestReset = (at: At, email: string, input: object = {}): Promise<Answer> =>
  requestReset(at, { tenant: 'demo', userType: 'CUSTOMER', email, ...input });

const reset = acknowledging('resetPassword', 'ResetPasswordInput');
/** Mutation.resetPassword. */
export const tryReset = (at: At, token: string, password = newPassword(), bearer?: string): Promise<Answer> =>
  reset(at, { token, newPassword: password }, bearer);

const requestEmailChange = acknowledging('requestEmailChange', 'RequestEmailChangeInput');
/** Mutation.requestEmailChange. */
export const tryRequestEmailChange = (at: At, bearer: string | undefined, email: string, password: string) =>
  requestEmailChange(at, { newEmail: email, password }, bearer);

/** Mutation.confirmEmailChange. */
export const tryConfirmEmailChange = confirming('confirmEmailChange');

/** The token of a link, as the postman makes it before he brings the letter. */
export function givenLink({ app }: Pick<Service, 'app'>, owner: LetterOwner, purpose: LetterPurpose): Promise<string> {
  const { database, letterTokens } = app.modules;
  const ctx = { tenantId: 'demo' };
  return database.transaction(ctx, (tx) => letterTokens.mint(tx, ctx, owner, purpose, newEmail()));
}

/** As if the links that were sent so far were older than they may be. */
export const linksAreOld = ({ app }: Pick<Service, 'app'>) =>
  app.modules.database.system().$executeRaw`UPDATE letter_tokens SET expires_at = now() - interval '1 second'`;
