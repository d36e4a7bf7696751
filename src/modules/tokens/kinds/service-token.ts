// A client acting for itself (RFC 6749 s.4.4). Its `sub` is the client (RFC 9068 s.2.2); what ends it is the client.

import type { TokenKindDefinition } from '../token-kind.ts';

/** The service token. */
export const serviceToken: TokenKindDefinition<'service'> = {
  kind: 'service',
  typ: 'at+jwt',
  lifetimeSeconds: (settings) => settings.serviceTokenSeconds,
  revocationKeys: () => [],
};
