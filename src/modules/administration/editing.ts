// What holds for every edit: what is predefined stays as it is, and nobody overwrites what they have not seen. Pure.

import { badInput, conflict } from '../../errors/domain-error.ts';

const MOST_NAME_CHARACTERS = 100;

/** @throws CONFLICT `PREDEFINED` */
export function requireEditable({ predefined }: { readonly predefined: boolean }): void {
  if (predefined) throw conflict('PREDEFINED', 'What is predefined can be assigned, but not edited or deleted.');
}

/** Has it been changed since the caller read it? Who names no version does not ask. @throws CONFLICT `STALE_VERSION` */
export function requireCurrent(found: { readonly version: number }, version: number | null | undefined): void {
  if (version != null && version !== found.version) {
    throw conflict('STALE_VERSION', 'It has been changed meanwhile: read it again.');
  }
}

/** The name, trimmed. @throws BAD_USER_INPUT for an empty or endless one */
export function requireName(name: string, field = 'input.name'): string {
  const trimmed = name.trim();
  if (trimmed === '' || trimmed.length > MOST_NAME_CHARACTERS)
    throw badInput(field, `A name has 1 to ${MOST_NAME_CHARACTERS} characters.`);
  return trimmed;
}

/** An id that somebody may choose. */
export const CHOSEN_ID = /^[A-Za-z0-9][\w.-]{0,63}$/;
/** The same in words. */
export const ID_RULE = 'an id has 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit';

/** An id that a caller chose, and that nothing has. @throws BAD_USER_INPUT, CONFLICT `ID_TAKEN` */
export async function requireNewId(id: string, isTaken: (id: string) => Promise<boolean>): Promise<void> {
  if (!CHOSEN_ID.test(id)) throw badInput('input.id', `Not an id: ${ID_RULE}.`);
  if (await isTaken(id)) throw conflict('ID_TAKEN', 'There is one of that id.', { id });
}

const MOST_ITEMS = 500;

/** The ids of a list, each once, sorted. @throws BAD_USER_INPUT for an endless list */
export function requireFew(ids: readonly string[], field: string): string[] {
  if (ids.length > MOST_ITEMS) throw badInput(field, `At most ${MOST_ITEMS} at once.`);
  return [...new Set(ids)].sort();
}

/** Told by its place in the list, for values never come back in messages. @throws BAD_USER_INPUT for the first that is not there */
export function requireEvery(
  ids: readonly string[],
  field: string,
  what: string,
  isThere: (id: string) => boolean,
): void {
  const place = ids.findIndex((id) => !isThere(id));
  if (place !== -1) throw badInput(`${field}.${place}`, `Not a known ${what}.`);
}

/** As `requireCurrent`, where nobody overwrites without saying what they have seen. @throws BAD_USER_INPUT without a
 * version, CONFLICT `STALE_VERSION` */
export function requireSeen(found: { readonly version: number }, version: number | null | undefined): void {
  if (version == null)
    throw badInput('input.metadata.version', 'The document version has to be provided on update operations.');
  requireCurrent(found, version);
}
