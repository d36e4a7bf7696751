-- Customers; a tenth of them contacts of companies, two hundred customers to a company, and members of its buyers.

UPDATE pg_index SET indisready = false
WHERE indrelid = ANY (ARRAY['customers', 'contact_assignments', 'customer_memberships']::regclass[]);

INSERT INTO customers (tenant_id, id, customer_number, email, email_verified_at, password_hash, first_name, last_name)
SELECT pg_temp.tenant(n), pg_temp.ascending('a01', n), lpad(n::text, 8, '0'), 'someone.' || md5(n::text) || '@mail.example',
  now(), buyer.password_hash, 'Someone', 'Number ' || n
FROM generate_series(1, pg_temp.wanted()) AS n, (SELECT password_hash FROM customers WHERE email = 'buyer@demo.example') buyer;

INSERT INTO legal_entities (tenant_id, id, name)
SELECT tenant, pg_temp.ascending('a02', n), 'Company ' || n
FROM generate_series(1, 1 + pg_temp.wanted() / 200) AS n, unnest(ARRAY['demo', 'rival']) AS tenant;

INSERT INTO groups (tenant_id, id, name, user_type, legal_entity_id, role)
SELECT tenant, pg_temp.ascending('a03', n), 'Buyers of ' || n, 'CUSTOMER', pg_temp.ascending('a02', n), 'BUYER'
FROM generate_series(1, 1 + pg_temp.wanted() / 200) AS n, unnest(ARRAY['demo', 'rival']) AS tenant;

INSERT INTO clients (tenant_id, id, name, kind, scopes)
SELECT tenant, tenant || '-client-' || n, 'Integration ' || n, 'CUSTOM', '{product.product_read}'
FROM generate_series(1, 1 + pg_temp.wanted() / 200) AS n, unnest(ARRAY['demo', 'rival']) AS tenant;

INSERT INTO contact_assignments (tenant_id, id, customer_id, legal_entity_id)
SELECT pg_temp.tenant(n), pg_temp.ascending('a04', n), pg_temp.ascending('a01', n), pg_temp.ascending('a02', 1 + n / 200)
FROM generate_series(1, pg_temp.wanted()) AS n WHERE n % 20 IN (1, 5);

INSERT INTO customer_memberships (tenant_id, group_id, customer_id)
SELECT pg_temp.tenant(n), pg_temp.ascending('a03', 1 + n / 200), pg_temp.ascending('a01', n)
FROM generate_series(1, pg_temp.wanted()) AS n WHERE n % 20 IN (1, 5);

REINDEX TABLE customers;
REINDEX TABLE contact_assignments;
REINDEX TABLE customer_memberships;
