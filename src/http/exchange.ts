// One request on its way to its answer: what the server knows of it, and what its handler may ask.
// A class, since thousands are made a second: its methods are made once.

import type { IncomingMessage } from 'node:http';
import type { RequestContext } from '../context.ts';
import type { RequestSpan } from '../observability/tracing.ts';
import type { Answer } from './answer.ts';
import type { Authentication } from './authenticate.ts';
import { type Call, noParams, type Route } from './router.ts';

/** What the server does for an exchange. */
export interface Serving {
  isDraining(): boolean;
  authenticate(req: IncomingMessage, requestId: string): Promise<Authentication>;
}

/** What was found out about a request as it arrived. */
export interface Arrival {
  readonly requestId: string;
  readonly ipAddress: string | null;
  readonly span: RequestSpan | null;
}

/** See above. */
export class Exchange implements Call {
  readonly req: IncomingMessage;
  readonly res: Answer;
  readonly requestId: string;
  readonly ipAddress: string | null;
  readonly path: string;
  readonly query: string;
  /** Milliseconds, of performance.now(). */
  readonly startedAt = performance.now();
  readonly span: RequestSpan | null;
  params: Call['params'] = noParams;
  route: Route | null = null;
  /** Ends the answer, where that is a stream. */
  endStream: (() => void) | null = null;
  readonly #serving: Serving;
  #context: Promise<RequestContext> | null = null;

  constructor(serving: Serving, req: IncomingMessage, res: Answer, { requestId, ipAddress, span }: Arrival) {
    this.#serving = serving;
    this.req = req;
    this.res = res;
    this.requestId = requestId;
    this.ipAddress = ipAddress;
    this.span = span;
    // RFC 9112 s.3.2.2: a server takes the absolute form too. The host in it is nobody's business (case 82).
    const target = req.url!.startsWith('/') ? req.url! : req.url!.replace(/^https?:\/\/[^/?#]*/i, '');
    const mark = target.indexOf('?');
    this.path = mark < 0 ? target : target.slice(0, mark);
    this.query = mark < 0 ? '' : target.slice(mark + 1);
  }

  get draining(): boolean {
    return this.#serving.isDraining();
  }

  authenticate(): Promise<RequestContext> {
    this.#context ??= this.#authenticated();
    return this.#context;
  }

  streaming(end: () => void): void {
    this.endStream = end;
    if (this.draining) end();
  }

  async #authenticated(): Promise<RequestContext> {
    const { principal, credential } = await this.#serving.authenticate(this.req, this.requestId);
    const userAgent = this.req.headers['user-agent']?.slice(0, 256) ?? null;
    return { requestId: this.requestId, ipAddress: this.ipAddress, userAgent, principal, credential };
  }
}
