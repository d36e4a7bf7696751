// Parameters as forms and queries carry them (WHATWG URL s.5.1): each said once at most.

import { malformed } from './http-error.ts';

/** By name. @throws HttpError `invalid_request` for one that comes twice (RFC 6749 s.3.2), or holds NUL */
export function readParameters(text: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (parameters.has(name)) throw malformed('A parameter is sent more than once.');
    if (value.includes('\0')) throw malformed('A parameter holds a NUL character.');
    parameters.set(name, value);
  }
  return parameters;
}
