// A shop of any size, for what must not grow with it: customers, employees, groups with members, companies, templates.
// By SQL, since the service would take hours; every row is one that the service could have made.

import { query } from './cluster.mjs';

/** Ids that ascend like those of the service (UUIDv7), so rows and keys lie on disk as they would. */
const id = (/** @type {string} */ kind, /** @type {string} */ n) =>
  `'01920000-0000-7${kind}-8000-' || lpad(to_hex(${n}), 12, '0')`;

const firstNames =
  'Anna Ben Clara David Emma Felix Greta Hugo Ida Jonas Katja Leon Mia Noah Olga Paul Rosa Simon Tara Udo';
const familyNames =
  'Albers Brandt Conrad Dietrich Ebert Fischer Graf Hoffmann Illner Jansen Krause Lorenz Maurer Neumann Otto Peters Ritter Schuster Thiele Vogel';

/** Texts to search for: a family name that one customer in twenty has, and one that a single customer has. */
export const searchTexts = { common: 'schuster', rare: 'quetzalcoatl' };

/** The group that has `inLargeGroup` members. */
export const LARGE_GROUP = 'Everybody who reads the newsletter';

/**
 * Adds to tenant `demo`. A quarter of the groups are employees'; every twentieth is of a company, with its contacts as
 * members; each has three predefined access controls, every tenth a template; ten members, but for the large one.
 * @param {string} databaseUrl
 * @param {{ customers: number, employees: number, groups: number, inLargeGroup: number }} size
 */
export async function fillShop(databaseUrl, { customers, employees, groups, inLargeGroup }) {
  const run = (/** @type {string} */ sql, /** @type {unknown[]} */ ...values) => query(databaseUrl, sql, values);
  const names = `(string_to_array('${firstNames}', ' '))[1 + n % 20] AS first_name,
    CASE WHEN n = $1::int / 2 THEN initcap('${searchTexts.rare}')
         ELSE (string_to_array('${familyNames}', ' '))[1 + n / 20 % 20] END AS last_name`;
  const people = (/** @type {string} */ kind, /** @type {string} */ domain) =>
    `SELECT 'demo' AS tenant_id, ${id(kind, 'n')} AS id, n, lpad(n::text, 8, '0') AS customer_number,
       lower(first_name || '.' || last_name) || '.' || n || '@${domain}' AS email, first_name, last_name
     FROM generate_series(1, $1::int) AS n CROSS JOIN LATERAL (SELECT ${names}) AS named`;

  await run(
    `INSERT INTO customers (tenant_id, id, customer_number, email, password_hash, first_name, last_name)
     SELECT made.tenant_id, made.id, made.customer_number, made.email, buyer.password_hash, made.first_name, made.last_name
     FROM (${people('001', 'mail.example')}) made, customers buyer
     WHERE buyer.tenant_id = 'demo' AND buyer.email = 'buyer@demo.example'`,
    customers,
  );
  await run(
    `INSERT INTO employees (tenant_id, id, email, first_name, last_name)
     SELECT tenant_id, id, email, first_name, last_name FROM (${people('002', 'staff.example')}) made`,
    employees,
  );
  await run(
    `INSERT INTO legal_entities (tenant_id, id, name)
     SELECT 'demo', ${id('003', 'n')}, 'Company ' || lpad(n::text, 6, '0') FROM generate_series(1, $1::int / 20) AS n`,
    groups,
  );
  await run(
    `INSERT INTO groups (tenant_id, id, name, user_type, legal_entity_id)
     SELECT 'demo', ${id('004', 'n')}, CASE n WHEN 1 THEN '${LARGE_GROUP}' ELSE 'Group ' || lpad(n::text, 6, '0') END,
       (CASE WHEN n % 4 = 0 THEN 'EMPLOYEE' ELSE 'CUSTOMER' END)::"UserType",
       CASE WHEN n % 20 = 10 THEN ${id('003', '1 + n / 20')} END
     FROM generate_series(1, $1::int) AS n`,
    groups,
  );

  // Whoever is in a company's group is assigned to the company. Strides that no size divides spread the people.
  const member = (/** @type {string} */ kind) => id(kind, '1 + (n * 37 + k * 101) % $2::int');
  const tenEach = (/** @type {string} */ which) =>
    `FROM generate_series(2, $1::int) AS n, generate_series(1, 10) AS k WHERE ${which} ON CONFLICT DO NOTHING`;
  await run(
    `INSERT INTO contact_assignments (tenant_id, id, customer_id, legal_entity_id)
     SELECT 'demo', ${id('005', 'n * 10 + k')}, ${member('001')}, ${id('003', '1 + n / 20')} ${tenEach('n % 20 = 10')}`,
    groups,
    customers,
  );
  await run(
    `INSERT INTO customer_memberships (tenant_id, group_id, customer_id)
     SELECT 'demo', ${id('004', 'n')}, ${member('001')} ${tenEach('n % 4 <> 0')}`,
    groups,
    customers,
  );
  await run(
    `INSERT INTO employee_memberships (tenant_id, group_id, employee_id)
     SELECT 'demo', ${id('004', 'n')}, ${member('002')} ${tenEach('n % 4 = 0')}`,
    groups,
    employees,
  );
  await run(
    `INSERT INTO customer_memberships (tenant_id, group_id, customer_id)
     SELECT 'demo', ${id('004', '1')}, ${id('001', 'n')} FROM generate_series(1, $1::int) AS n`,
    inLargeGroup,
  );

  // Twenty templates of five access controls, and three access controls for each group, of those that fit it.
  const fitting = `WITH fitting AS (
      SELECT user_type, ac.id AS access_control_id, row_number() OVER of_type - 1 AS place, count(*) OVER all_of_type AS places
      FROM access_controls ac, unnest(enum_range(NULL::"UserType")) AS user_type
      WHERE ac.tenant_id = 'demo' AND ac.predefined AND NOT ac.every_scope AND coalesce(ac.restricted_to = user_type, true)
      WINDOW of_type AS (PARTITION BY user_type ORDER BY ac.id), all_of_type AS (PARTITION BY user_type)
    )`;
  await run(
    `INSERT INTO access_control_templates (tenant_id, id, name)
     SELECT 'demo', ${id('006', 'n')}, 'Template ' || n FROM generate_series(0, 19) AS n`,
  );
  await run(
    `${fitting} INSERT INTO template_access_controls (tenant_id, template_id, access_control_id)
     SELECT 'demo', ${id('006', 'n')}, access_control_id
     FROM generate_series(0, 19) AS n CROSS JOIN generate_series(0, 4) AS k
     JOIN fitting ON place = (n * 5 + k) % places AND user_type = (CASE WHEN n % 2 = 0 THEN 'EMPLOYEE' ELSE 'CUSTOMER' END)::"UserType"`,
  );
  await run(
    `${fitting} INSERT INTO group_access_controls (tenant_id, group_id, access_control_id)
     SELECT g.tenant_id, g.id, access_control_id
     FROM generate_series(1, $1::int) AS n JOIN groups g ON g.tenant_id = 'demo' AND g.id = ${id('004', 'n')}
     CROSS JOIN generate_series(0, 2) AS k JOIN fitting USING (user_type) WHERE place = (n + k) % places`,
    groups,
  );
  await run(
    `INSERT INTO group_templates (tenant_id, group_id, template_id)
     SELECT 'demo', ${id('004', 'n')}, ${id('006', 'n / 10 % 20')} FROM generate_series(10, $1::int, 10) AS n`,
    groups,
  );
  // What autovacuum would have done by the time that anybody looks.
  await query(databaseUrl, 'VACUUM (ANALYZE)');
}
