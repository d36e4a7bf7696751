// What GraphiQL opens with: one tab a story, told with the demo data (product.md section 10). The first operation's
// name is the tab's title. Invariant: each document validates against schema.graphql (test/http/graphiql.test.ts).

import { administrationStories } from './graphiql-administration-stories.ts';
import { ssoStories } from './graphiql-sso-story.ts';

/** A tab. `variables` of the first tab stay empty: GraphiQL does not show them there. */
export interface Story {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** The tabs, from left to right. */
export const stories: readonly Story[] = [
  {
    query: `# 1. A service token: a backend acts for itself
#    (client credentials, RFC 6749 s.4.4).
#
# Run ServiceToken, copy "accessToken" from the answer,
# and paste it below into Headers, in place of
# <paste accessToken here>. Then run WhoAmI.
#
# A tab that still shows the placeholder uses the token
# that was last used in any other tab.

mutation ServiceToken {
  issueServiceToken(
    input: {
      clientId: "demo-backend"
      clientSecret: "demo-backend-secret"
      # Left out: all that the client has.
      # One that it lacks: INVALID_SCOPE.
      scopes: ["iam.group_read", "oauth.client_read"]
    }
  ) {
    accessToken
    expiresIn
    scopes
  }
}

query WhoAmI {
  currentPrincipal {
    kind
    scopes
    expiresAt
    tenant {
      id
    }
    ... on ServicePrincipal {
      client {
        id
        name
        kind
      }
    }
  }
}
`,
  },
  {
    query: `# 2. From guest to customer, in one session.
#
# Run GuestToken, and copy its accessToken to
# "anonymousToken" in Variables. Run CustomerLogin:
# "sessionId" is still the guest's. From then on the
# guest's token is worthless, so a session that somebody
# else planted is never shared.
#
# Paste the customer's accessToken into Headers, and run
# MyCompanies: what a company picker shows.

mutation GuestToken {
  issueAnonymousToken(
    input: {
      tenant: "demo"
      clientId: "demo-storefront"
      currency: "EUR"
      language: "en"
    }
  ) {
    accessToken
    refreshToken
    sessionId
    scopes
  }
}

mutation CustomerLogin($anonymousToken: String) {
  issueCustomerToken(
    input: {
      email: "buyer@demo.example"
      password: "demo-password-1"
      anonymousToken: $anonymousToken
    }
  ) {
    accessToken
    refreshToken
    saasToken
    sessionId
    scopes
    customer {
      customerNumber
    }
  }
}

query MyCompanies {
  currentPrincipal {
    kind
    scopes
    ... on CustomerPrincipal {
      legalEntity {
        id
        name
      }
      legalEntities {
        id
        name
      }
    }
  }
}
`,
    variables: { anonymousToken: '<accessToken of GuestToken>' },
  },
  {
    query: `# 3. Switching company without logging in again.
#
# Copy the refreshToken of story 2 to Variables. Each
# answer has the NEXT refreshToken: copy that one before
# the next step. A used one that comes back later ends
# the whole session, as it may have been stolen.
#
# buyer@demo.example is Admin at acme, Buyer at globex,
# and nobody at initech.

mutation BuyForAcme($refreshToken: String!) {
  refreshCustomerToken(
    input: { refreshToken: $refreshToken, legalEntityId: "acme" }
  ) {
    ...Switched
  }
}

# Other company, other scopes; same session.
mutation BuyForGlobex($refreshToken: String!) {
  refreshCustomerToken(
    input: { refreshToken: $refreshToken, legalEntityId: "globex" }
  ) {
    ...Switched
  }
}

# null leaves the company; absent keeps it.
mutation BuyForMyself($refreshToken: String!) {
  refreshCustomerToken(
    input: { refreshToken: $refreshToken, legalEntityId: null }
  ) {
    ...Switched
  }
}

# ACCESS_DENIED, exactly as for a company that doesn't
# exist; the refreshToken is not spent.
mutation BuyForInitech($refreshToken: String!) {
  refreshCustomerToken(
    input: { refreshToken: $refreshToken, legalEntityId: "initech" }
  ) {
    ...Switched
  }
}

fragment Switched on CustomerToken {
  accessToken
  refreshToken
  sessionId
  scopes
  legalEntity {
    id
    name
  }
}
`,
    variables: { refreshToken: '<refreshToken of CustomerLogin>' },
  },
  ...administrationStories,
  ...ssoStories,
];
