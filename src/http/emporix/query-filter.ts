// The `q` parameter of lists (`name:~Acme type:COMPANY`), and parameters by the names of fields (`name=Acme`), as
// conditions on the columns that a list offers. Pure.
// Invariant: what is not understood is refused; a filter narrows a list and reaches nothing that is out of reach.

import { Prisma } from '../../database/generated/client.ts';
import { literally } from '../../database/keyset.ts';
import { badInput } from '../../errors/domain-error.ts';
import type { Query } from './emporix-route.ts';

/** What a field of a list holds, and where: `{ 'name.en': text('name') }`. */
export interface FilterField {
  /** Prisma's condition for a row whose field is such. */
  at(condition: unknown): object;
  readonly type: 'text' | 'boolean' | 'moment';
  /** May the column be empty? */
  readonly isOptional: boolean;
  /** The values that are known, as clients spell them and as the column has them. */
  readonly known?: Readonly<Record<string, string>>;
}

const inColumn = (column: string) => (condition: unknown) => ({ [column]: condition });

/** Column of a text. */
export const text = (column: string): FilterField => ({ at: inColumn(column), type: 'text', isOptional: false });
/** Column of a yes or no. */
export const yesOrNo = (column: string): FilterField => ({ at: inColumn(column), type: 'boolean', isOptional: false });
/** Column of a moment. */
export const moment = (column: string): FilterField => ({ at: inColumn(column), type: 'moment', isOptional: false });
/** Column of one of these names, in whatever case. */
export const oneOf = (column: string, ...names: string[]): FilterField => ({
  ...text(column),
  known: Object.fromEntries(names.map((name) => [name.toUpperCase(), name])),
});
/** A column that may be empty. */
export const optional = (field: FilterField): FilterField => ({ ...field, isOptional: true });
/** A field that is in any of these places; missing when it is in none. */
export const anyOf = (...fields: FilterField[]): FilterField => ({
  ...fields[0]!,
  at: (condition) => ({ [condition === null ? 'AND' : 'OR']: fields.map((field) => field.at(condition)) }),
});
/** A text within a JSON column. */
export const textWithin = (column: string, ...path: string[]): FilterField => ({
  type: 'text',
  isOptional: true,
  at(condition) {
    const is = (test: object) => ({ [column]: { path, ...test } });
    if (condition === null) return is({ equals: Prisma.DbNull });
    if (typeof condition === 'string') return is({ equals: condition });
    const { contains, mode, in: values } = condition as Record<string, unknown>;
    if (Array.isArray(values)) return { OR: values.map((value) => is({ equals: value })) };
    return is(contains === undefined ? { not: Prisma.DbNull } : { string_contains: contains, mode });
  },
});

const MOST_CHARACTERS = 2_000;
const MOST_CONDITIONS = 20;
const MOST_VALUES = 200;

const misunderstood = (message: string, parameter = 'q') => badInput(parameter, message);

/** One condition: a field, a colon, and a value: bare, quoted, or anything in one pair of brackets. */
const CONDITION = /\s*([\w.]+):(?:in)?(\((?:"[^"]*"|[^()"])*\)|~?"[^"]*"|[^\s"()]+)/y;
const RANGE = /^\s*(>=?|<=?)\s*"?([^"\s]+)"?\s*$/;

const unquoted = (value: string): string => value.trim().replace(/^"(.*)"$/s, '$1');

function readValue({ type, known }: FilterField, given: string, parameter?: string): string | boolean | Date {
  if (type === 'boolean') {
    if (given !== 'true' && given !== 'false') throw misunderstood('A yes-or-no field is true or false.', parameter);
    return given === 'true';
  }
  if (type === 'moment') {
    const date = new Date(given);
    // Years that a database takes, and that stand in four digits.
    if (!(date.getUTCFullYear() >= 1 && date.getUTCFullYear() <= 9999)) throw misunderstood('Not a date.', parameter);
    return date;
  }
  if (!known) return given;
  const found = known[given.toUpperCase()];
  if (found === undefined) throw misunderstood('Not a value of this field.', parameter);
  return found;
}

const comparisons = { '>': 'gt', '>=': 'gte', '<': 'lt', '<=': 'lte' } as const;

function withinRange(field: FilterField, inner: string): object {
  const parts = inner.split(/\s+AND\s+/i).map((part) => RANGE.exec(part));
  if (field.type !== 'moment' || parts.some((part) => part === null))
    throw misunderstood('A range is (>"…" AND <"…") on a date.');
  return Object.fromEntries(
    parts.map((part) => [comparisons[part![1] as keyof typeof comparisons], readValue(field, part![2]!)]),
  );
}

const holding = (part: string) => ({ contains: literally(part), mode: 'insensitive' });

function containing(field: FilterField, value: string): object {
  if (field.type !== 'text' || field.known) throw misunderstood('Only texts are searched by ~.');
  return holding(unquoted(value));
}

/** What the column has to be. */
function compile(field: FilterField, value: string): unknown {
  if (value.startsWith('~')) return containing(field, value.slice(1));
  if (!value.startsWith('(')) return readValue(field, unquoted(value));
  const inner = value.slice(1, -1).trim();
  if (inner.startsWith('~')) return containing(field, inner.slice(1));
  if (/^[<>]/.test(inner)) return withinRange(field, inner);
  const values = inner.match(/"[^"]*"|[^,]+/g) ?? [];
  if (values.length === 0 || values.length > MOST_VALUES) throw misunderstood('A list has 1 to 200 values.');
  return { in: values.map((each) => readValue(field, unquoted(each))) };
}

const NOTHING = { OR: [] };

function conditionOf(field: FilterField, value: string): object {
  const { at, isOptional } = field;
  if (value === 'exists') return isOptional ? at({ not: null }) : {};
  if (value === 'null' || value === 'missing') return isOptional ? at(null) : NOTHING;
  return at(compile(field, value));
}

/**
 * Prisma's conditions for a `q`, all of which have to hold.
 * @param fields what the list can be filtered by, as clients name it
 * @throws BAD_USER_INPUT for a field or a form that is not known
 */
export function filterOf(q: string | undefined, fields: Readonly<Record<string, FilterField>>): { AND: object[] } {
  const conditions: object[] = [];
  if (q === undefined) return { AND: conditions };
  if (q.length > MOST_CHARACTERS) throw misunderstood(`At most ${MOST_CHARACTERS} characters.`);
  CONDITION.lastIndex = 0;
  let end = 0;
  while (end < q.trimEnd().length) {
    const [, name, value] = CONDITION.exec(q) ?? [];
    if (name === undefined) throw misunderstood('Conditions are field:value, separated by spaces.');
    if (!Object.hasOwn(fields, name)) throw misunderstood('This list cannot be filtered by that field.');
    end = CONDITION.lastIndex;
    conditions.push(conditionOf(fields[name]!, value!));
    if (conditions.length > MOST_CONDITIONS) throw misunderstood(`At most ${MOST_CONDITIONS} conditions.`);
  }
  return { AND: conditions };
}

/**
 * The same for the parameters of a query that are named like fields: `userType=CUSTOMER`.
 * @param searched fields of which the parameter is a part, in whatever case
 * @throws BAD_USER_INPUT for a value that the field does not have
 */
export function filterBy(
  query: Query,
  fields: Readonly<Record<string, FilterField>>,
  searched: readonly string[] = [],
): { AND: object[] } {
  const conditions = Object.entries(fields).flatMap(([name, field]) => {
    const value = query.value(name);
    if (value === undefined) return [];
    return [field.at(searched.includes(name) ? holding(value) : readValue(field, value, name))];
  });
  return { AND: conditions };
}

/** Does a row that is in memory satisfy conditions that `filterOf` made? */
export const satisfied = ({ AND: conditions }: { AND: object[] }, row: Readonly<Record<string, unknown>>): boolean =>
  conditions.every((condition) =>
    Object.entries(condition).every(([column, wanted]) => column !== 'OR' && isAsWanted(row[column], wanted)),
  );

function isAsWanted(value: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return value === wanted;
  if ('in' in wanted) return (wanted.in as unknown[]).includes(value);
  const { contains } = wanted as { contains: string };
  return String(value)
    .toLowerCase()
    .includes(contains.replace(/\\([\\%_])/g, '$1').toLowerCase());
}
