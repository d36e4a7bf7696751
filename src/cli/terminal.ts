// What the command line writes and reads, and nothing else does. Invariant: what it shows of somebody's text cannot
// steer the terminal.

import { text } from 'node:stream/consumers';

/** Where a command is run. */
export interface Terminal {
  /** To standard output: what was asked for. */
  out(text: string): void;
  /** To standard error: everything else. */
  err(text: string): void;
  /** All of standard input. */
  read(): Promise<string>;
}

/** The one that the process has. */
export const terminal: Terminal = {
  out: (written) => void process.stdout.write(written),
  err: (written) => void process.stderr.write(written),
  read: () => text(process.stdin),
};

/** The text with everything that a terminal may obey, or that reorders what is seen, written out. */
export const visible = (shown: string): string =>
  shown.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => `\\u${sign.codePointAt(0)!.toString(16).padStart(4, '0')}`);

/** Rows under headings, in columns. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [headings.map((heading) => heading.toUpperCase()), ...rows.map((row) => row.map(visible))];
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/** For a machine: one JSON text. */
export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
