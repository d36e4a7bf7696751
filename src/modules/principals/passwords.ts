// Passwords: argon2id (RFC 9106) with OWASP's parameters, on a bounded queue, so that a flood of logins slows
// logins only. Invariant: every login costs one verification, whether the account exists or not.

import { type Algorithm, hash, verify } from '@node-rs/argon2';
import { availableCores } from '../../config/cores.ts';
import { badInput } from '../../errors/domain-error.ts';
import { createTurns } from '../limits/turns.ts';
import { commonPasswords } from './common-passwords.ts';

// The package declares a const enum, which isolated modules cannot read.
const ARGON2ID = 2 as Algorithm;
/** OWASP's. */
const MEMORY_KIB = 47_104;
const FEWEST_CHARACTERS = 10;
const MOST_CHARACTERS = 256;
const MOST_BYTES = 1024;
/** A core each, shared with the other workers, and never all four threads of node's pool: signing and verifying tokens
 * share it. */
const atOnceOf = (workers: number) => Math.max(1, Math.min(3, Math.floor(availableCores() / workers)));

/** Who waits longer is refused while the caller still listens: a login must not happen after it was given up. */
const QUEUE = { mostWaiting: 64, mostWaitingMs: 3000 };

/** Unicode spellings of one password are one password. */
const normalized = (password: string) => password.normalize('NFKC');

const isTooLong = (password: string) =>
  password.length > MOST_BYTES || Buffer.byteLength(normalized(password)) > MOST_BYTES;

/** Hashing and checking of passwords. `workers`: processes that share the cores. `memoryKiB`: less than what is right is
 * for tests that are about something else. */
export function createPasswords({
  memoryKiB = MEMORY_KIB,
  workers = 1,
}: {
  memoryKiB?: number;
  workers?: number;
} = {}) {
  const atOnce = atOnceOf(workers);
  const parameters = { algorithm: ARGON2ID, memoryCost: memoryKiB, timeCost: 1, parallelism: 1 };
  const currentPrefix = `$argon2id$v=19$m=${memoryKiB},t=1,p=1$`;
  const hashing = createTurns({ atOnce, ...QUEUE });
  // One more than can hash, so that the next has asked the database when its turn to hash comes.
  const logins = createTurns({ atOnce: atOnce + 1, ...QUEUE, mostWaiting: QUEUE.mostWaiting - 1 });
  const dummy = hash('nobody has this password', parameters);

  return {
    /** Runs a whole login when its turn has come: who waits has asked the database nothing yet, or a flood of logins
     * would take it from everybody else. @throws SERVICE_UNAVAILABLE */
    admit: <T>(login: () => Promise<T>): Promise<T> => logins.take(login),

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
    hash: (password: string): Promise<string> => hashing.take(() => hash(normalized(password), parameters)),

    /** Is it the password? Without a stored hash it costs the same and is false. @throws SERVICE_UNAVAILABLE when the queue is full */
    async matches(password: string, stored: string | null): Promise<boolean> {
      const against = stored ?? (await dummy);
      const good = await hashing.take(() => verify(against, normalized(password)));
      return good && stored !== null;
    },

    /** Was it hashed with other parameters than today's? */
    isOutdated: (stored: string): boolean => !stored.startsWith(currentPrefix),

    /** How many are hashed right now. */
    hashing: (): number => hashing.running(),

    /** How many wait for their turn. */
    queueLength: (): number => logins.waiting() + hashing.waiting(),
  };
}

/** See `createPasswords`. */
export type Passwords = ReturnType<typeof createPasswords>;
