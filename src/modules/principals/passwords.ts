// Passwords: argon2id (RFC 9106) with OWASP's parameters, on a bounded queue, so that a flood of logins slows
// logins only. Invariant: every login costs one verification, whether the account exists or not.

import { availableParallelism } from 'node:os';
import { type Algorithm, hash, verify } from '@node-rs/argon2';
import { badInput, serviceUnavailable } from '../../errors/domain-error.ts';
import { commonPasswords } from './common-passwords.ts';

// The package declares a const enum, which isolated modules cannot read.
const ARGON2ID = 2 as Algorithm;
const PARAMETERS = { algorithm: ARGON2ID, memoryCost: 47_104, timeCost: 1, parallelism: 1 };
const CURRENT_PREFIX = '$argon2id$v=19$m=47104,t=1,p=1$';
const FEWEST_CHARACTERS = 10;
const MOST_CHARACTERS = 256;
const MOST_BYTES = 1024;
const MOST_WAITING = 64;

/** Whoever waits longer is refused while the caller still listens: a login must not happen after it was given up. */
const MOST_WAITING_MS = 3000;

/** A core each, and never all four threads of node's pool: signing and verifying tokens share it. */
const AT_ONCE = Math.max(1, Math.min(3, availableParallelism()));

/** Unicode spellings of one password are one password. */
const normalized = (password: string) => password.normalize('NFKC');

const isTooLong = (password: string) =>
  password.length > MOST_BYTES || Buffer.byteLength(normalized(password)) > MOST_BYTES;

/** Hashing and checking of passwords. */
export function createPasswords() {
  let running = 0;
  let admitted = 0;
  const waiting: Set<() => void> = new Set();
  const dummy = hash('nobody has this password', PARAMETERS);

  function turn(): Promise<void> {
    if (waiting.size >= MOST_WAITING) throw serviceUnavailable('password queue is full');
    return new Promise((resolve, reject) => {
      const begin = () => {
        clearTimeout(timer);
        waiting.delete(begin);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(begin);
        reject(serviceUnavailable('waited too long for a turn'));
      }, MOST_WAITING_MS);
      waiting.add(begin);
    });
  }

  async function queued<T>(work: () => Promise<T>): Promise<T> {
    if (running >= AT_ONCE) await turn();
    else running += 1;
    try {
      return await work();
    } finally {
      const [next] = waiting;
      if (next) next();
      else running -= 1;
    }
  }

  return {
    /** Runs a whole login, as many at once as may wait for a hash: whoever comes after them costs nothing, no statement
     * either, or a flood would take the database from everybody else. @throws SERVICE_UNAVAILABLE */
    async admit<T>(login: () => Promise<T>): Promise<T> {
      if (admitted >= AT_ONCE + MOST_WAITING) throw serviceUnavailable('too many logins at once');
      admitted += 1;
      try {
        return await login();
      } finally {
        admitted -= 1;
      }
    },

    /** @throws BAD_USER_INPUT naming `field` for a password that may not be set (ASVS 6.2.1, 6.2.4, 6.2.9) */
    requireAcceptable(password: string, field: string): void {
      if (isTooLong(password) || [...password].length > MOST_CHARACTERS) {
        throw badInput(field, `A password has at most ${MOST_CHARACTERS} characters and ${MOST_BYTES} bytes.`);
      }
      if ([...normalized(password)].length < FEWEST_CHARACTERS) {
        throw badInput(field, `A password has at least ${FEWEST_CHARACTERS} characters.`);
      }
      if (commonPasswords.has(normalized(password).toLowerCase())) {
        throw badInput(field, 'This password is on the list that attackers try first.');
      }
    },

    /** @throws BAD_USER_INPUT for a password too long to be anybody's; nothing is hashed. */
    requireHashable(password: string, field: string): void {
      if (isTooLong(password)) throw badInput(field, `A password has at most ${MOST_BYTES} bytes.`);
    },

    /** A PHC string. @throws SERVICE_UNAVAILABLE when the queue is full */
    hash: (password: string): Promise<string> => queued(() => hash(normalized(password), PARAMETERS)),

    /** Is it the password? Without a stored hash it costs the same and is false. @throws SERVICE_UNAVAILABLE when the queue is full */
    async matches(password: string, stored: string | null): Promise<boolean> {
      const against = stored ?? (await dummy);
      const good = await queued(() => verify(against, normalized(password)));
      return good && stored !== null;
    },

    /** Was it hashed with other parameters than today's? */
    isOutdated: (stored: string): boolean => !stored.startsWith(CURRENT_PREFIX),

    /** How many wait for their turn. */
    queueLength: (): number => waiting.size,
  };
}

/** See `createPasswords`. */
export type Passwords = ReturnType<typeof createPasswords>;
