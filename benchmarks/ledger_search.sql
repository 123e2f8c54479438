-- A year of orders, evenly spread: order n stands in file n / 1000, whose run delivers it. One of a hundred was
-- refused first and mended, one of a thousand is refused now. Filled in by ledger_search.py.

INSERT INTO asperion_files
SELECT 'f' || md5(n::text), 'sap:/orders', 'orders_' || lpad(n::text, 7, '0') || '.xml', 1000000, {file_moment},
       'archived', '/orders/archive/' || n, md5(n::text), {per_file}, {file_run}, NULL, '[]',
       {file_moment}, {file_moment}
FROM generate_series(0, {orders} / {per_file}) n;

INSERT INTO asperion_documents
SELECT md5('order' || n), '1', 'sales_order', (4500000000 + n)::text,
       CASE WHEN n % 1000 = 7 THEN 'refused' ELSE 'done' END, md5('content' || n), (100000 + n)::text, '125.00',
       CASE WHEN n % 100 = 7 THEN 2 ELSE 1 END, 'POST sales_order', {moment}, NULL, {run},
       'f' || md5((n / {per_file})::text), n % {per_file} + 1,
       CASE WHEN n % 1000 = 7 THEN {problem} ELSE '[]' END::json, {moment}, {moment}
FROM generate_series(0, {orders} - 1) n;

INSERT INTO asperion_sightings
SELECT 'f' || md5((n / {per_file})::text), n % {per_file} + 1, md5('order' || n), md5('content' || n)
FROM generate_series(0, {orders} - 1) n;

INSERT INTO asperion_names
SELECT md5('person' || (n::bigint * 7919 % ({orders} / {per_customer}))), md5('order' || n)
FROM generate_series(0, {orders} - 1) n;

INSERT INTO asperion_events (document_id, at, run_id, session_id, name, detail, problems)
SELECT md5('order' || n), {moment}, {run}, md5('session' || (n / 250)),
       (ARRAY['taken', 'decided', 'intended', 'done'])[e],
       (ARRAY['{{"status": "new", "attempt": 1, "file": "f", "position": 1}}',
              '{{"matched_by": "email", "debtor": "use", "debtor_id": "105001", "mapping": "orders05"}}',
              '{{"effect": "POST sales_order"}}',
              '{{"how": "created", "asperion_id": "100000", "requests": "POST /v1/salesorders 201"}}'])[e]::json,
       '[]'
FROM generate_series(0, {orders} - 1) n, generate_series(1, {per_order}) e;

INSERT INTO asperion_snapshots
SELECT md5('sku' || n), '1', 'products_to_sap/products', 'SKU-' || lpad(n::text, 6, '0'), '{{}}', 'update',
       {sku_moment}, {sku_moment}, 'products_' || n / 1000 || '.xml', lpad(n::text, 16, '0'),
       'asperion_products_to_sap/run', CASE WHEN n % 5000 = 7 THEN 'failed' ELSE 'posted' END, NULL, NULL,
       {sku_moment}
FROM generate_series(0, 199999) n;

INSERT INTO asperion_runs
SELECT flow || '/scheduled__' || n, 'default', flow, 'done', 1, '{{"created": 990, "refused": 10}}',
       '{{"article.missing": 10}}', {run_moment}, {run_moment} + interval '40 seconds'
FROM generate_series(0, {days} * 24 - 1) n,
     unnest(ARRAY['orders_to_asperion', 'products_to_sap', 'stock_to_sap', 'customers_to_sap', 'orders_to_sap',
                  'answers_from_sap']) flow;
