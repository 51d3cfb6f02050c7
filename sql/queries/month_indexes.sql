-- name: wanted
-- The months of the log that are over, worth an index by customer, and without one that is valid: with what makes
-- it, and what removes one that was interrupted. CONCURRENTLY, which no function can do: late records still come.
SELECT right(partition.relname, 7) AS month,
    CASE WHEN left_over.oid IS NOT NULL
        THEN format('DROP INDEX CONCURRENTLY ledger.%I', left_over.relname) END AS drop,
    format('CREATE INDEX CONCURRENTLY %I ON ledger.%I (customer, request_id)',
        partition.relname || '_by_customer', partition.relname) AS create
FROM pg_inherits AS part JOIN pg_class AS partition ON partition.oid = part.inhrelid
LEFT JOIN pg_class AS left_over ON left_over.relname = partition.relname || '_by_customer'
    AND left_over.relnamespace = partition.relnamespace
LEFT JOIN pg_index AS state ON state.indexrelid = left_over.oid
WHERE part.inhparent = 'ledger.usage_event'::regclass
    AND partition.relname ~ '_\d{4}_\d{2}$'
    AND to_date(right(partition.relname, 7), 'YYYY_MM') < $1
    AND pg_relation_size(partition.oid) >= $2
    AND state.indisvalid IS NOT true
ORDER BY month DESC;
