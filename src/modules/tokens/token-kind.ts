// The kinds of access token. What each carries, how long it lives and what ends it stands in kinds/.

/** What an access token stands for. */
export type TokenKind = 'service' | 'employee' | 'anonymous' | 'customer';
