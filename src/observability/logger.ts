// The log: pino, one JSON object a line, to stdout. Every finished line passes one gate, so bindings, messages,
// causes and stacks all do, and a caller can't forget it (security.md section 2 "logs", case 110).
// Invariant: no secret leaves in usable form: redacted by key and by shape; strings bounded, control characters escaped.

import { createHash } from 'node:crypto';
import { type Logger as PinoLogger, pino } from 'pino';

/** Writes the log. `child({ requestId })` binds what every further line shall carry. */
export type Logger = PinoLogger;

/** Longest string that a line may carry, in characters. */
const LONGEST_STRING = 4_000;
/** What is looked at of a longer one: redaction goes first, so that a cut can't hide the shape of a secret. */
const LONGEST_READ = 16_000;
const REDACTED = '[redacted]';

const SENSITIVE_PART = /secret|token|password|passwd|authorization|cookie|assertion|verifier|privatekey|apikey/;
const SENSITIVE_WHOLE = new Set(['code', 'state', 'nonce', 'authcode', 'ssocode', 'ssostate', 'credentials']);

/** Is the value under this key a secret? `statusCode` and `errorCode` are not `code`. */
const isSensitive = (key: string) => {
  const word = key.toLowerCase().replaceAll(/[-_.\s]/g, '');
  return SENSITIVE_WHOLE.has(word) || SENSITIVE_PART.test(word);
};

/** The same person gives the same mark, and the mark doesn't give the person away to a reader of the log. */
const hashedEmail = (email: string) =>
  `email:${createHash('sha256').update(email.toLowerCase()).digest('hex').slice(0, 12)}`;

const shapes: readonly [RegExp, string | ((match: string) => string)][] = [
  // JWT and JWE, whole or cut.
  [/eyJ[\w-]{4,}(?:\.[\w+/=-]*)*/g, REDACTED],
  // Our refresh tokens, client secrets and the tokens of letters.
  [/(?:rt|cs|lt)_[\w-]{16,}/g, REDACTED],
  [/-----BEGIN [A-Z ]+-----[\s\S]*?(?:-----END [A-Z ]+-----|$)/g, REDACTED],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${REDACTED}`],
  // Passwords in URLs, then everything from the question mark or the number sign on.
  [/(:\/\/)[^\s/@"'<>]{1,512}@/g, `$1${REDACTED}@`],
  [/((?:[a-z][a-z+.-]{0,15}:\/)?\/[^\s?#"'<>]{0,2048})[?#][^\s"'<>]+/gi, `$1?${REDACTED}`],
  // Forms and JSON inside of texts.
  [/([\w-]{0,64}(?:secret|token|password|assertion|verifier)|\b(?:code|state|nonce))=[^\s"'&;,]+/gi, `$1=${REDACTED}`],
  [
    /((?:secret|token|password|assertion|verifier|authorization|cookie|"code|"state|"nonce)\w{0,32}\\?["']?\s{0,4}:\s{0,4})\\?["'][^"'\\]*/gi,
    `$1"${REDACTED}`,
  ],
  [/[\w.!#$%&*+/=?^`{|}~\u0080-\uffff-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}[\p{L}\p{N}-]{2,63}/gu, hashedEmail],
];

/** Everything that a terminal may obey or that reorders text, line feed and tab excepted. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** A text without the secrets that can be told by their shape; bounded, control characters visible. */
function cleanText(text: string): string {
  let clean = text;
  if (clean.length > LONGEST_READ) {
    // Whatever the cut went through may be half a secret: it goes too.
    let end = LONGEST_READ;
    while (end > 0 && !/\s/.test(clean[end]!)) end -= 1;
    clean = clean.slice(0, end);
  }
  for (const [shape, replacement] of shapes) clean = clean.replace(shape, replacement as string);
  clean = clean.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return clean.length > LONGEST_STRING || text.length > LONGEST_READ ? `${clean.slice(0, LONGEST_STRING)}[cut]` : clean;
}

function clean(value: unknown, key = ''): unknown {
  if (value === null) return null;
  if (key !== '' && isSensitive(key)) return REDACTED;
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map((item) => clean(item));
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [cleanText(name), clean(item, name)]));
  }
  return value;
}

/** The gate. What can't be read back is not let through. */
const cleanLine = (line: string) => {
  try {
    return `${JSON.stringify(clean(JSON.parse(line)))}\n`;
  } catch {
    return `${JSON.stringify({ level: 50, time: Date.now(), msg: 'A log line could not be redacted and was dropped.' })}\n`;
  }
};

/** An error as the log shows it. Its `code` is a name of a failure, so it goes by another key than secrets do. */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const { code, reason, status, cause } = error as Error & Record<string, unknown>;
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(typeof code === 'string' &&
      /^(?:[A-Z][A-Z0-9_]{1,39}|[0-9A-Z]{5}|[a-z_]{3,40})$/.test(code) && { errorCode: code }),
    ...(typeof reason === 'string' && { reason }),
    ...(typeof status === 'number' && { status }),
    ...(cause !== undefined && depth < 4 && { cause: describeError(cause, depth + 1) }),
  };
}

/** Opens the log. `write` takes the finished lines instead of stdout. */
export function createLogger(options: { level: string; write?: (line: string) => void }): Logger {
  const settings = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: (error: unknown) => describeError(error), error: (error: unknown) => describeError(error) },
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: { streamWrite: cleanLine },
  };
  return options.write ? pino(settings, { write: options.write }) : pino(settings);
}
