// GraphiQL's stories for those who work for the merchant: employees, administrators, and the question why.

import type { Story } from './graphiql-stories.ts';

/** The tabs after those of the storefront. */
export const administrationStories: readonly Story[] = [
  {
    query: `# 4. An employee: scopes come from groups.
#
# Run EmployeeToken, paste its accessToken into Headers,
# and run SigningKeys. Then do the same with
# catalog@demo.example: SigningKeys is FORBIDDEN, and the
# answer names the scope that is missing.

mutation EmployeeToken($email: String!) {
  issueEmployeeToken(
    input: {
      tenant: "demo"
      email: $email
      password: "demo-password-1"
    }
  ) {
    accessToken
    refreshToken
    expiresIn
    scopes
    employee {
      firstName
      lastName
    }
  }
}

query SigningKeys {
  signingKeys {
    kid
    algorithm
    status
    createdAt
    retiresAt
  }
}
`,
    variables: { email: 'admin@demo.example' },
  },
  {
    query: `# 5. An administrator: who may do what, and why.
#
# Put the accessToken of story 4 (admin@demo.example) into
# Headers. Groups shows the whole chain: members get what
# the group's access controls give.
#
# Then make a group that may read orders, and put
# catalog@demo.example into it. The id of the employee is
# in Employees, that of the group in the answer of
# MakeGroup. What joining gives shows with the next token;
# leaving is felt at once.

query Groups {
  groups(first: 10, userType: EMPLOYEE) {
    totalCount
    nodes {
      id
      name
      members(first: 5) {
        nodes {
          ... on Employee {
            id
            email
          }
        }
      }
      accessControls {
        name
      }
      scopes
    }
  }
}

query Employees {
  employees(search: "catalog") {
    nodes {
      id
      email
      groups {
        name
      }
      scopes
    }
  }
}

mutation MakeGroup {
  createGroup(
    input: {
      name: "Order readers"
      userType: EMPLOYEE
      # ORDERS_VIEWER, one that every tenant finds ready.
      accessControlIds: ["1ac869fc-d548-4ec8-8e06-c01491314143"]
    }
  ) {
    id
    scopes
  }
}

mutation Join($groupId: ID!, $userId: ID!) {
  addGroupMember(
    input: { groupId: $groupId, userId: $userId, userType: EMPLOYEE }
  ) {
    name
    memberCount
  }
}

mutation Leave($groupId: ID!, $userId: ID!) {
  removeGroupMember(
    input: { groupId: $groupId, userId: $userId, userType: EMPLOYEE }
  ) {
    name
    memberCount
  }
}

# Who did it, for whom, and from where.
query Trail {
  auditEvents(first: 10) {
    nodes {
      at
      type
      actor
      subject
      details
    }
  }
}
`,
    variables: { groupId: '<id of MakeGroup>', userId: '<id in Employees>' },
  },
  {
    query: `# 6. What am I allowed to do, and why?
#    With the token of any story in Headers.

query WhatMayIDo {
  currentPrincipal {
    kind
    scopes
  }
  scopes(heldByMe: true, first: 20) {
    nodes {
      id
      description
    }
  }
}

# Nothing is run: what each field needs, what is missing,
# and which group, client or set gives what there is.
query WhyOrNot {
  explainAccess(
    operation: "{ groups { nodes { name members { totalCount } } } }"
  ) {
    allowed
    minimalScopes
    fields {
      path
      requires
      missing
      grantedBy {
        scope
        source
      }
    }
  }
}
`,
  },
  {
    query: `# 7. Companies: who belongs to which, and who may act
#    for them.
#
# With the accessToken of story 4 (admin@demo.example) in
# Headers. Shopper finds a customer without a company;
# Assign lets them act for ACME Berlin and, by
# inheritance, for ACME above it. Unassign takes both away
# again, and every token for them is refused at once.

query Companies {
  legalEntities(first: 10) {
    nodes {
      id
      name
      type
      subsidiaries {
        id
      }
      customerGroups {
        role
        memberCount
      }
      contactAssignments(first: 5) {
        nodes {
          id
          type
          inherited
          customer {
            email
          }
        }
      }
    }
  }
}

query Shopper {
  customers(search: "shopper") {
    nodes {
      id
      legalEntities {
        name
      }
    }
  }
}

mutation Assign($customerId: ID!) {
  assignContact(
    input: {
      customerId: $customerId
      legalEntityId: "acme-berlin"
      type: LOGISTICS
    }
  ) {
    id
    customer {
      legalEntities {
        name
      }
    }
  }
}

mutation Unassign($assignmentId: ID!) {
  unassignContact(id: $assignmentId)
}
`,
    variables: { customerId: '<id in Shopper>', assignmentId: '<id of Assign>' },
  },
];
