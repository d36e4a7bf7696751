// Ids of companies, contact assignments and locations that a client may choose. Pure.

import { badInput } from '../../errors/domain-error.ts';

const CHOSEN_ID = /^[A-Za-z0-9_-]{1,66}$/;

/** May this be the id of a company, a contact assignment or a location at all? */
export const isChosenId = (id: string): boolean => CHOSEN_ID.test(id);

/** The id that a new one was given; none: it gets one. @throws BAD_USER_INPUT */
export function chosenId(id: string | null | undefined): { id?: string } {
  if (id == null) return {};
  if (!isChosenId(id)) throw badInput('input.id', 'An id has 1 to 66 letters, digits, hyphens or underscores.');
  return { id };
}
