// A real SMTP server on loopback, with everything that it has taken; it can be slow, refuse, or be away.

import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type { Service } from './service.ts';

/** A message as it arrived. */
export interface Received {
  readonly to: string;
  readonly from: string;
  readonly subject: string;
  /** The text, its quoted-printable encoding undone. */
  readonly text: string;
}

/** How the server behaves. */
export interface Manner {
  /** Waits so long before it takes a message; ms. */
  slowMs?: number;
  /** Answers the receiver so, such as 550 or 451. */
  refuse?: number;
  /** Answers the sender so. */
  refuseSender?: number;
}

const decoded = (text: string) =>
  text
    .replaceAll(/=\r?\n/g, '')
    .replaceAll(/=([0-9A-F]{2})/g, (_all, hex) => String.fromCharCode(Number.parseInt(hex, 16)));

function parsed(raw: string, to: string): Received {
  const [head = '', ...body] = raw.split('\r\n\r\n');
  const header = (name: string) => new RegExp(`^${name}: (.*(?:\r\n[ \t].*)*)`, 'im').exec(head)?.[1] ?? '';
  return {
    to,
    from: header('From'),
    subject: header('Subject').replaceAll(/\r\n[ \t]/g, ' '),
    text: decoded(body.join('\n\n')),
  };
}

/** Opens a server. `env`: what a service needs to use it. */
export async function openMailbox(manner: Manner = {}, port = 0) {
  const received: Received[] = [];
  let tries = 0;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onMailFrom(_address, _session, callback) {
      if (!manner.refuseSender) return callback();
      callback(Object.assign(new Error('No.'), { responseCode: manner.refuseSender }));
    },
    onRcptTo(_address, _session, callback) {
      tries += 1;
      if (!manner.refuse) return callback();
      callback(Object.assign(new Error('No.'), { responseCode: manner.refuse }));
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const to = session.envelope.rcptTo[0]?.address ?? '';
        setTimeout(() => {
          received.push(parsed(Buffer.concat(chunks).toString('utf8'), to));
          callback();
        }, manner.slowMs ?? 0);
      });
    },
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const listening = (server.server.address() as AddressInfo).port;
  return {
    received,
    manner,
    port: listening,
    /** How often a message was offered. */
    tries: () => tries,
    env: {
      SMTP_URL: `smtp://127.0.0.1:${listening}`,
      MAIL_FROM: 'Shop <no-reply@shop.example>',
      STOREFRONT_URL: 'https://shop.example',
      CONSOLE_URL: 'https://console.example',
    },
    /** The messages to an address so far, once the postman has been round. */
    async to(address: string, { app }: Pick<Service, 'app'>): Promise<Received[]> {
      await app.modules.postman.deliver();
      return received.filter((mail) => mail.to === address);
    },
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** See `openMailbox`. */
export type Mailbox = Awaited<ReturnType<typeof openMailbox>>;

/** The token of the one link in a message. @throws Error when there is none, or another number of them */
export function tokenIn({ text }: Pick<Received, 'text'>): string {
  const found = [...text.matchAll(/#token=(lt_[\w-]{43})\b/g)].map(([, token]) => token!);
  if (found.length !== 1) throw new Error(`Expected one link, got ${found.length} in ${text}`);
  return found[0]!;
}

/** The link itself, without its token. */
export const pageIn = ({ text }: Pick<Received, 'text'>): string | undefined => /(\S+)#token=/.exec(text)?.[1];
