// The one number that retention, key rotation and every verifier agree on. Pure: scopeward/verify ships it.

/** No access token of any tenant may live longer; seconds. */
export const LONGEST_ACCESS_TOKEN_SECONDS = 86_400;
