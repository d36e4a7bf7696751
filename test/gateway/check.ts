// Asking /forward-auth as a gateway would, and the people whose requests the gateways of these tests hold.

import { identityHeaders } from '../../src/http/identity-headers.ts';
import { givenCustomer, givenCustomerGroup } from '../kit/given.ts';
import type { Service } from '../kit/service.ts';
import { signIn } from '../kit/stories.ts';

/** What a check answered. */
export interface Verdict {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** The headers of identity that are there, by name. */
  readonly identity: Record<string, string>;
}

/** Asks, with this query and these headers. */
export async function check(
  { url }: Pick<Service, 'url'>,
  query: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Verdict> {
  const answer = await fetch(`${url}/forward-auth?${query}`, { method, headers });
  const identity = Object.fromEntries(
    identityHeaders.flatMap((name) => (answer.headers.has(name) ? [[name, answer.headers.get(name)!]] : [])),
  );
  return { status: answer.status, headers: answer.headers, body: await answer.text(), identity };
}

/** The header of a bearer. */
export const by = (accessToken: string) => ({ Authorization: `Bearer ${accessToken}` });

/** FA401, FA403, FA503: the status, an empty body, and no identity in any header. */
export const refusal = ({ status, body, identity }: Verdict) => ({ status, body, identity });
export const FA = (status: 401 | 403 | 503) => ({ status, body: '', identity: {} });

/** A customer without a company, and the same at two: with `order.order_post`, so that checkout is open to them. */
export async function givenBuyer(service: Service) {
  const customer = await givenCustomer(service, { acme: 'BUYER', globex: 'BUYER' });
  await givenCustomerGroup(service, ['order.order_post'], customer.id);
  const [plain, acme, globex] = [
    await signIn(service, customer.email),
    await signIn(service, customer.email, { legalEntityId: 'acme' }),
    await signIn(service, customer.email, { legalEntityId: 'globex' }),
  ];
  return { customer, plain, acme, globex };
}
