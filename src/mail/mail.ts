// Sending mail: through the configured SMTP server (RFC 5321), outside production to the terminal, or not at all.
// Invariants: a send ends within a stated time, whatever the server does; a message is plain text and reaches no file and
// no URL; in production nothing goes over a network in the clear.

import { createTransport } from 'nodemailer';
import type { Config } from '../config/config.ts';

/** From connecting to the server's receipt, whatever it does meanwhile; milliseconds. */
export const LONGEST_SEND_MS = 15_000;

/** One message. */
export interface OutgoingMail {
  /** A canonical address. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** The server will never take this message: trying again is no use (RFC 5321 s.4.2.1, replies 5yz). */
export class MailRefusedError extends Error {
  constructor(cause: unknown) {
    super('The mail server refused the message for good.', { cause });
    this.name = 'MailRefusedError';
  }
}

/** A way to send mail. */
export interface Mail {
  /** False: there is no way, and nothing that needs one can be promised. */
  readonly isAvailable: boolean;
  /** What whoever starts the service should know; null: all is well. */
  readonly notice: string | null;
  /** Resolves when the server has taken the message. @throws MailRefusedError for good; anything else may pass */
  send(mail: OutgoingMail): Promise<void>;
}

interface SmtpFailure {
  readonly code?: string;
  readonly command?: string;
  readonly responseCode?: number;
}

/** About this message or its receiver, and not about the server's health, our account there or our sender. */
const isRefusal = ({ code, command, responseCode = 0 }: SmtpFailure) =>
  responseCode >= 500 && (code === 'EMESSAGE' || (code === 'EENVELOPE' && command === 'RCPT TO'));

function throughSmtp({ url, from, encrypted }: Extract<Config['mail'], { kind: 'smtp' }>): Mail {
  const transport = createTransport({
    url,
    // A relay on this machine has no certificate that anybody could check.
    ...(encrypted ? { requireTLS: true } : { ignoreTLS: true }),
    connectionTimeout: 5_000,
    greetingTimeout: 5_000,
    socketTimeout: 10_000,
    dnsTimeout: 5_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    isAvailable: true,
    notice: null,
    async send({ to, subject, text }) {
      try {
        await transport.sendMail({ from, to, subject, text, signal: AbortSignal.timeout(LONGEST_SEND_MS) });
      } catch (error) {
        throw isRefusal(error as SmtpFailure) ? new MailRefusedError(error) : error;
      }
    },
  };
}

/** The way that the configuration names. `print` shows a message to whoever runs the service for development: past the
 * log, which would redact the link that it is about. */
export function createMail(config: Config['mail'], print: (text: string) => void): Mail {
  if (config.kind === 'smtp') return throughSmtp(config);
  return {
    isAvailable: config.kind === 'terminal',
    notice:
      config.kind === 'terminal'
        ? 'No mail server is configured (SMTP_URL): letters are shown on standard output, with their links.'
        : 'No mail server is configured (SMTP_URL): password resets, changes of address and double opt-in are refused.',
    async send({ to, subject, text }) {
      if (config.kind === 'none') throw new Error('No mail server is configured.');
      print(`\n--- mail to ${to}: ${subject}\n${text}\n---\n`);
    },
  };
}
