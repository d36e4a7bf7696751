// GraphiQL's story of single sign-on, with the provider of examples/identity-provider.

import type { Story } from './graphiql-stories.ts';

/** The last tab. */
export const ssoStories: readonly Story[] = [
  {
    query: `# 8. Single sign-on: somebody comes from an identity
#    provider (OpenID Connect, code flow with PKCE).
#
# Start one in a second terminal: npm run idp. With the
# accessToken of story 4 (admin@demo.example) in Headers,
# run Connect, and put its id into Variables. Run Start,
# keep "verifier" there too, and open authorizationUrl:
# sign in as anybody, with any password. The page that you
# come back to shows code, state and iss; with them in
# Variables, run Finish.

mutation Connect {
  createIdentityProvider(
    input: {
      name: "Identity provider of the example"
      issuer: "http://localhost:4400"
      clientId: "scopeward"
      clientSecret: "a secret of the example"
      userTypes: [CUSTOMER, EMPLOYEE]
      redirectUris: ["http://localhost:4400/callback"]
      autoProvision: true
      groupClaim: "groups"
    }
  ) {
    id
  }
}

mutation Start($provider: ID!) {
  startSso(
    input: {
      tenant: "demo"
      provider: $provider
      userType: CUSTOMER
      redirectUri: "http://localhost:4400/callback"
    }
  ) {
    authorizationUrl
    verifier
    expiresAt
  }
}

mutation Finish(
  $code: String!
  $state: String!
  $verifier: String!
  $iss: String
) {
  issueSsoToken(
    input: {
      code: $code
      state: $state
      verifier: $verifier
      iss: $iss
    }
  ) {
    ... on CustomerToken {
      accessToken
      customer {
        email
        firstName
      }
    }
    ... on EmployeeToken {
      accessToken
      scopes
      employee {
        email
      }
    }
  }
}
`,
    variables: {
      provider: '<id of Connect>',
      verifier: '<verifier of Start>',
      code: '<code>',
      state: '<state>',
      iss: 'http://localhost:4400',
    },
  },
];
