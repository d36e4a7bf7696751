// Nothing stays behind: whatever a run starts or makes registers here how it ends. Last in, first out; on Ctrl-C too.

/** @type {{ gently: () => Promise<void> | void, atOnce: () => void }[]} */
const endings = [];

/**
 * @param {() => Promise<void> | void} gently
 * @param {() => void} atOnce for a process that is exiting already: no time to wait
 * @returns {() => Promise<void>} ends it now
 */
export function onEnd(gently, atOnce = gently) {
  const ending = { gently, atOnce };
  endings.push(ending);
  return async () => {
    const at = endings.indexOf(ending);
    if (at < 0) return;
    endings.splice(at, 1);
    await gently();
  };
}

/** Ends everything that has not ended. */
export async function endAll() {
  for (let ending = endings.pop(); ending; ending = endings.pop()) await ending.gently();
}

let isInterrupted = false;

/** Ends everything and the process. @param {string} why @param {number} code */
async function interrupt(why, code) {
  isInterrupted = true;
  console.error(`\nbench: ${why}, cleaning up`);
  await endAll().catch(() => {});
  process.exit(code);
}

/** Gives up after a while. @param {number} minutes @returns {() => void} ends the limit */
export function limitTo(minutes) {
  const timer = setTimeout(() => interrupt(`more than ${minutes} minutes`, 1), minutes * 60_000);
  return () => clearTimeout(timer);
}

/** What fails because all is being ended is no failure of its own: then it never returns. @param {unknown} error */
export const rethrow = (error) => {
  if (isInterrupted) return new Promise(() => {});
  throw error;
};

process.on('exit', () => {
  for (let ending = endings.pop(); ending; ending = endings.pop()) ending.atOnce();
});
for (const [signal, code] of /** @type {const} */ ([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
])) {
  process.once(signal, () => interrupt(signal, code));
}
