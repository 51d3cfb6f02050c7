-- What somebody should look at and is no fault. A stretch of the log is given as in verification.sql.

-- name: unrated
-- Requests that count and have no price yet.
SELECT sum(sum(r.unrated)) OVER () AS found, json_build_object(
    'provider', d.provider, 'model', d.model, 'service_tier', d.service_tier, 'batch', d.is_batch,
    'requests', sum(r.unrated)) AS offender
FROM rollup_hour r JOIN dimension d USING (dimension)
WHERE r.unrated <> 0
GROUP BY d.provider, d.model, d.service_tier, d.is_batch
HAVING sum(r.unrated) <> 0
ORDER BY sum(r.unrated) DESC, d.provider, d.model, d.service_tier, d.is_batch
LIMIT 10;

-- name: unmetered
-- Requests that were seen and never completed.
WITH event AS (
    SELECT * FROM usage_event WHERE $1::integer[] IS NULL
    UNION ALL
    SELECT e.* FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS stretch (lane, after, upto)
    JOIN usage_event e ON e.lane = stretch.lane AND e.batch > stretch.after AND e.batch <= stretch.upto
)
SELECT count(*) OVER () AS found, json_build_object(
    'customer_id', c.customer_id, 'request_id', request_id_text(e.request_id, e.opaque_id),
    'kind', e.kind, 'timestamp', instant_text(e.occurred_at)) AS offender
FROM event e LEFT JOIN customer c USING (customer)
WHERE e.revision = 0 AND NOT EXISTS (
    SELECT FROM usage_event completed
    WHERE completed.request_id = e.request_id AND completed.customer = e.customer AND completed.revision = 1)
ORDER BY c.customer_id, e.request_id
LIMIT 10;

-- name: quarantined
-- Records that wait to be replayed or dismissed. Those that there was no room for do not wait, and are told.
SELECT sum(records) OVER ()::bigint AS found, offender
FROM (
    SELECT count(*) AS records, json_build_object('outcome', outcome, 'code', code, 'records', count(*),
        'command', 'ledger quarantine list --outcome ' || outcome || ' --code ' || code) AS offender
    FROM quarantine
    GROUP BY outcome, code
    UNION ALL
    SELECT 0, json_build_object('sender', sender, 'not_kept', not_kept,
        'command', 'ledger quarantine list --sender ' || sender)
    FROM quarantine_sender WHERE not_kept > 0
) AS waiting
ORDER BY records DESC, offender ->> 'command'
LIMIT 10;

-- name: ids_under_two_customers
-- Allowed, because an id is scoped by customer, and rarely meant.
SELECT count(*) OVER () AS found, json_build_object(
    'request_id', request_id_text(shared.request_id, shared.opaque_id),
    'customer_ids', (
        SELECT json_agg(DISTINCT c.customer_id)
        FROM usage_event e JOIN customer c USING (customer) WHERE e.request_id = shared.request_id
    )) AS offender
FROM (
    SELECT request_id, min(opaque_id) AS opaque_id FROM usage_event
    WHERE $1::integer[] IS NULL OR request_id IN (
        SELECT e.request_id FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS stretch (lane, after, upto)
        JOIN usage_event e ON e.lane = stretch.lane AND e.batch > stretch.after AND e.batch <= stretch.upto)
    GROUP BY request_id HAVING min(customer) <> max(customer)
) AS shared
ORDER BY shared.request_id
LIMIT 10;
