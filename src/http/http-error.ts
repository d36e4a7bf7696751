// Refusals that are neither OAuth's nor the domain's: the request never got as far as a use case.
// Invariant: `message` is public and says nothing that the caller did not send.

/** An HTTP refusal. `code` is what machines read, in the style of RFC 6749 s.5.2. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'HttpError';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** No such path, or nothing to see there. */
export const noSuchPath = () => new HttpError(404, 'not_found', 'There is nothing here.');

/** The path exists, the method does not. */
export const wrongMethod = (allow: readonly string[]) =>
  new HttpError(405, 'method_not_allowed', 'This method is not allowed here.', { Allow: allow.join(', ') });

/** Malformed; `message` says how. */
export const malformed = (message: string) => new HttpError(400, 'invalid_request', message);

/** More than we read. */
export const tooLarge = () => new HttpError(413, 'payload_too_large', 'The request body is too large.');

/** A body in a form that is not read here. */
export const unsupportedMediaType = (message: string, headers?: Record<string, string>) =>
  new HttpError(415, 'unsupported_media_type', message, headers);
