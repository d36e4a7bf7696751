// Documents that ask for too much, each for a reason of its own. security.md cases 83 to 86 and 90.

/** The parts one after another. */
export const times = (count: number, part: (at: number) => string, between = ' ') =>
  Array.from({ length: count }, (_, at) => part(at)).join(between);

const inside = (levels: number, inner: string) => `${'{ tenant '.repeat(levels)}{ ${inner} }${' }'.repeat(levels)}`;
const fanOut = (levels: number) =>
  `{ currentPrincipal { ...F0 } } ${times(
    levels,
    (at) => `fragment F${at} on Principal { ...F${at + 1} ... on CustomerPrincipal { ...F${at + 1} } }`,
  )} fragment F${levels} on Principal { a: id b: id }`;

/** Case, name, document. */
export const documents: [number, string, string][] = [
  [83, 'depth 13', inside(13, 'id')],
  [83, 'depth 4 000', inside(4_000, 'id')],
  [83, 'depth 20 000', `${'{a'.repeat(20_000)}${'}'.repeat(20_000)}`],
  [83, '20 000 nested list literals', `{ scope(id: ${'['.repeat(20_000)}${']'.repeat(20_000)}) { id } }`],
  [83, '20 000 nested braces that never close', '{a'.repeat(20_000)],
  [84, '5 000 aliases', `{ ${times(5_000, (at) => `a${at}: __typename`)} }`],
  [84, 'one field 10 000 times', `{ currentPrincipal { ${'id '.repeat(10_000)} } }`],
  [84, '20 000 unknown directives', `{ __typename ${'@aa'.repeat(20_000)} }`],
  [84, '1 000 root fields', `{ ${'tenant { id } '.repeat(1_000)} }`],
  [84, 'signingKeys 1 000 times', `{ ${times(1_000, (at) => `k${at}: signingKeys { kid }`)} }`],
  [84, 'signingKeys 100 times, within the token limit', `{ ${times(100, (at) => `k${at}: signingKeys { kid }`)} }`],
  [85, '10 000 repeated fields (19 KB)', `{ currentPrincipal { ${'a '.repeat(10_000)} } }`],
  [
    85,
    '150 times 60 inline fragments (98 KB)',
    `{ currentPrincipal { ${times(150, () => `...on Principal{${'...{id}'.repeat(60)}}`, '')} } }`,
  ],
  [86, 'a fragment that contains itself', '{ currentPrincipal { ...A } } fragment A on Principal { id ...A }'],
  [
    86,
    'two fragments that contain each other',
    '{ currentPrincipal { ...A } } fragment A on Principal { ...B } fragment B on Principal { ...A }',
  ],
  [86, 'a 24-level double fan-out', fanOut(24)],
  [
    86,
    'a fragment named __schema',
    `{ currentPrincipal { ...__schema } } fragment __schema on Principal { ${times(16, (at) => `a${at}: id`)} }`,
  ],
  [
    90,
    'two logins by alias',
    'mutation { a: issueCustomerToken(input: {email:"a",password:"b"}) { expiresIn } b: issueCustomerToken(input: {email:"a",password:"c"}) { expiresIn } }',
  ],
];
