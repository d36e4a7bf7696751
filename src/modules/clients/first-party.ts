// The service itself as a client: employees sign in here, without any client, and so does a customer who comes from an
// identity provider without a guest's token. Invariant: no tenant has a client of this id.

/** The `client_id` of what is issued without a client (RFC 9068 s.2.2 wants one): a public client of every tenant. */
export const FIRST_PARTY_CLIENT = 'scopeward';
