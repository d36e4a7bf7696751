// What lies between what a tenant has and what a file says. Pure.
// Invariant: where nothing differs there is no difference, so an import that is made twice does nothing the second time.

import { canonicalEmail } from '../principals/email.ts';
import { type Access, type AccessFile, type EntryOf, type Kind, kinds } from './access-as-code-file.ts';

/** Something of a section; what is absent is not there. */
export type Entry = Readonly<Record<string, string | readonly string[]>>;

/** What is to be added (`before` is null), changed or deleted (`after` is null). */
export interface Difference {
  readonly kind: Kind;
  readonly id: string;
  readonly before: Entry | null;
  readonly after: Entry | null;
}

/** The order of texts that does not depend on where one is. */
export const byText = (one: string, other: string): number => (one < other ? -1 : Number(one > other));

/** An entry in the one way of writing it: lists sorted, nothing twice, mail addresses as accounts have them. */
export function normal(entry: object): Entry {
  const fields = Object.entries(entry).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    fields.map(([field, value]: [string, string | string[]]) => {
      if (!Array.isArray(value)) return [field, value];
      const items = field === 'employees' ? value.map((address) => canonicalEmail(address) ?? address) : value;
      return [field, [...new Set(items)].sort(byText)];
    }),
  );
}

/** The fields in which two entries differ. */
export const fieldsChanged = ({ before, after }: Difference): string[] =>
  [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].filter(
    (field) => JSON.stringify(before?.[field]) !== JSON.stringify(after?.[field]),
  );

/** In the order of sections and ids. `prune`: what a section of the file does not have is to be deleted. */
export function differencesBetween(current: Access, file: AccessFile, prune: boolean): Difference[] {
  return kinds.flatMap((kind) => {
    const wanted = new Map<string, object>(Object.entries(file[kind] ?? {}));
    const had = new Map<string, object>(Object.entries(current[kind]));
    const gone = prune && file[kind] ? [...had.keys()] : [];
    const ids = [...new Set([...wanted.keys(), ...gone])].sort(byText);
    return ids
      .map((id): Difference => {
        const before = had.has(id) ? normal(had.get(id)!) : null;
        if (!wanted.has(id)) return { kind, id, before, after: null };
        const after = normal(wanted.get(id)!);
        // Members that the file does not speak of stay.
        const kept = before?.employees && !after.employees ? { employees: before.employees } : {};
        return { kind, id, before, after: { ...after, ...kept } };
      })
      .filter((difference) => fieldsChanged(difference).length > 0);
  });
}

/** What a tenant has of its own when the differences are gone, by section and id. */
export type AccessAfter = { readonly [In in Kind]: ReadonlyMap<string, EntryOf[In]> };

/** See `AccessAfter`. */
export function accessAfter(current: Access, differences: readonly Difference[]): AccessAfter {
  const section = (kind: Kind) => {
    const entries = new Map<string, object>(Object.entries(current[kind]));
    for (const { id, after } of differences.filter((difference) => difference.kind === kind)) {
      if (after) entries.set(id, after);
      else entries.delete(id);
    }
    return [kind, entries] as const;
  };
  return Object.fromEntries(kinds.map(section)) as unknown as AccessAfter;
}
