// What a text has to be for a database to keep it. Pure.

/** Halves of a character: what a text of UTF-8 cannot hold. */
const lonelySurrogate = /\p{Surrogate}/u;

/** Can a database keep it? NUL and half characters are errors there, or quietly become something else. */
export const isStorable = (text: string): boolean => !text.includes('\0') && !lonelySurrogate.test(text);
