// Names of people: whatever they are, but not endless, since tokens carry them. Pure.

import { badInput } from '../../errors/domain-error.ts';

const MOST_CHARACTERS = 100;

/** @throws BAD_USER_INPUT naming the field that is too long */
export function requireNames(names: {
  firstName?: string | null | undefined;
  lastName?: string | null | undefined;
}): void {
  for (const field of ['firstName', 'lastName'] as const) {
    if ((names[field]?.length ?? 0) > MOST_CHARACTERS)
      throw badInput(`input.${field}`, `At most ${MOST_CHARACTERS} characters.`);
  }
}
