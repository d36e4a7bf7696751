// What was worked out before and may be asked for again: bounded, whatever callers send. Pure.
// Invariant: at most `most` values are held; what nobody has asked for since the last `most / 2` new ones is forgotten.

/** A bounded memory by key. */
export interface Recent<Value extends object> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
}

/** An empty one. In two halves: when the younger is full it becomes the older, and what was the older goes. */
export function createRecent<Value extends object>(most: number): Recent<Value> {
  let younger = new Map<string, Value>();
  let older = new Map<string, Value>();

  function set(key: string, value: Value): void {
    if (younger.size >= most / 2) {
      older = younger;
      younger = new Map();
    }
    younger.set(key, value);
  }

  return {
    get(key) {
      const found = younger.get(key);
      if (found) return found;
      const kept = older.get(key);
      if (kept) set(key, kept);
      return kept;
    },
    set,
  };
}
