// What letters say. Pure. Invariant: nothing that a stranger typed stands in a letter: whoever can have one sent to you
// cannot have it say something. A token goes behind the number sign, so no server's log and no Referer ever has it.

/** Where links lead: bases from the configuration, without a slash at the end. */
export interface Links {
  /** For customers. */
  readonly storefrontUrl: string;
  /** For employees. */
  readonly consoleUrl: string;
}

/** A letter without its receiver. */
export interface Text {
  readonly subject: string;
  readonly text: string;
}

const linkTo = (base: string, page: string, token: string) => `${base}/${page}#token=${token}`;
const paragraphs = (...lines: string[]) => `${lines.join('\n\n')}\n`;
const nothingToDo = 'If it was not you, there is nothing to do: without the link nothing happens.';

/** What each letter says. `shop`: the name of the tenant. Times as they stand in `lifetimes`. */
export const texts = {
  confirmation: (shop: string, { storefrontUrl }: Links, token: string): Text => ({
    subject: `${shop}: confirm your account`,
    text: paragraphs(
      `Somebody, hopefully you, has made an account at ${shop} with this address. Confirm it within 24 hours:`,
      linkTo(storefrontUrl, 'confirm-account', token),
      'Only then can anybody sign in. A password that you did not choose yourself you can replace by "forgot password".',
      nothingToDo,
    ),
  }),

  registeredAlready: (shop: string): Text => ({
    subject: `${shop}: you have an account`,
    text: paragraphs(
      `Somebody, hopefully you, wanted to make an account at ${shop} with this address, which has one already.`,
      'Sign in with it, or ask for a new password there if you have forgotten yours.',
      'If it was not you, there is nothing to do: nothing has changed.',
    ),
  }),

  passwordReset: (shop: string, base: string, token: string): Text => ({
    subject: `${shop}: set a new password`,
    text: paragraphs(
      `Somebody, hopefully you, has asked for a new password at ${shop}. Set it within 30 minutes:`,
      linkTo(base, 'reset-password', token),
      'Every device that is signed in now will have to sign in again.',
      nothingToDo,
    ),
  }),

  emailChange: (shop: string, { storefrontUrl }: Links, token: string): Text => ({
    subject: `${shop}: confirm your new address`,
    text: paragraphs(
      `Somebody, hopefully you, wants to sign in at ${shop} with this address from now on. Confirm it within an hour:`,
      linkTo(storefrontUrl, 'confirm-email', token),
      'Every device that is signed in now will have to sign in again.',
      nothingToDo,
    ),
  }),

  emailTaken: (shop: string): Text => ({
    subject: `${shop}: this address has an account`,
    text: paragraphs(
      `Somebody, hopefully you, wanted to use this address for another account at ${shop}, but it has one of its own.`,
      'Sign in with that one, or ask for a new password there if you have forgotten it.',
      'If it was not you, there is nothing to do: nothing has changed.',
    ),
  }),

  emailChangeNotice: (shop: string): Text => ({
    subject: `${shop}: your address is about to change`,
    text: paragraphs(
      `Somebody who knows your password has asked to sign in at ${shop} with another address than this one.`,
      'Nothing has changed yet. If it was not you, set a new password now: that stops it.',
    ),
  }),
} as const;
