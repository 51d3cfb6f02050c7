-- name: try_alone
-- One rebuild at a time, for as long as the session lives.
SELECT pg_try_advisory_lock(5, 0);

-- name: end_alone
SELECT pg_advisory_unlock(5, 0);

-- name: forget
-- Drops what an earlier pass derived.
DISCARD TEMP;

-- name: grant_memory
-- Sums over the whole log are faster in memory; what does not fit goes to disk.
SET LOCAL work_mem = '128MB';

-- name: keep_cut
-- Where the snapshot ends in the log, for the repair after it.
CREATE TEMP TABLE seen (lane integer PRIMARY KEY, batch bigint NOT NULL);

-- name: fill_cut
INSERT INTO seen SELECT * FROM unnest($1::integer[], $2::bigint[]);

-- name: prefer_hashing
-- The planner takes every event for a group of its own, because it knows nothing of hours, and sorts them
-- all; summing them in a hash table takes less than half the time where an hour has several events.
SET LOCAL enable_sort = off;

-- name: prefer_nothing
SET LOCAL enable_sort TO DEFAULT;

-- name: customer_setting_derive
-- Deriving: each projection from facts alone, its columns in the order of the stored table, so that the two
-- can be compared byte by byte; numbers have no places behind the point where the stored ones have none.
--
-- The last change of each customer: the one that began the latest epoch, whatever clocks said. Decisions from
-- before epochs were kept come first, by their times.
CREATE TEMP TABLE IF NOT EXISTS rebuilt_customer_setting AS
SELECT DISTINCT ON (customer) customer, body ->> 'meter_slug' AS meter_slug
FROM ledger_event JOIN batch USING (lane, batch)
WHERE kind = 'customer_changed'
ORDER BY customer, epoch DESC NULLS LAST, recorded_at DESC, lane DESC, batch DESC, ordinal DESC;

-- name: spend_limit_derive
-- The last setting of each limit, found in the same way. It watches from the moment it was set.
CREATE TEMP TABLE IF NOT EXISTS rebuilt_spend_limit AS
SELECT DISTINCT ON (customer, subject) customer, subject AS limit_id,
    trunc((body ->> 'amount')::numeric * 1000000000000) AS amount_pico,
    body ->> 'window' AS window_kind,
    ARRAY(SELECT share FROM jsonb_array_elements_text(body -> 'thresholds') WITH ORDINALITY AS t (share, place)
        ORDER BY place) AS thresholds,
    body ->> 'action' AS action, recorded_at AS watched_from
FROM ledger_event JOIN batch USING (lane, batch)
WHERE kind = 'limit_set'
ORDER BY customer, subject, epoch DESC NULLS LAST, recorded_at DESC, lane DESC, batch DESC, ordinal DESC;

-- name: api_key_derive
-- Every key that was made, and when it was first revoked.
CREATE TEMP TABLE IF NOT EXISTS rebuilt_api_key AS
SELECT e.customer, e.subject AS key_id, decode(e.body ->> 'digest', 'hex') AS digest, e.body ->> 'name' AS name,
    ARRAY(SELECT scope FROM jsonb_array_elements_text(e.body -> 'scopes') WITH ORDINALITY AS t (scope, place)
        ORDER BY place) AS scopes,
    b.recorded_at AS created_at, e.actor AS created_by, (e.body ->> 'expires_at')::timestamptz AS expires_at,
    (SELECT min(v.recorded_at) FROM ledger_event r JOIN batch v USING (lane, batch)
        WHERE r.kind = 'key_revoked' AND r.customer = e.customer AND r.subject = e.subject) AS revoked_at
FROM ledger_event e JOIN batch b USING (lane, batch)
WHERE e.kind = 'key_created';

-- name: limit_window_derive
-- What was spent in each window that was open when the limit was set or began after it; the window that
-- never ends counts everything. A window with an event has a row, also when the event cost nothing.
CREATE TEMP TABLE IF NOT EXISTS rebuilt_limit_window AS
SELECT l.customer, l.limit_id,
    CASE l.window_kind WHEN 'total' THEN timestamptz '1970-01-01 00:00Z'
        ELSE date_trunc(l.window_kind, e.occurred_at, 'UTC') END AS window_start,
    coalesce(sum(e.fee_pico), 0) + coalesce(sum(e.input_pico) FILTER (WHERE d.key_type = 'managed'), 0)
        + coalesce(sum(e.cached_input_pico) FILTER (WHERE d.key_type = 'managed'), 0)
        + coalesce(sum(e.output_pico) FILTER (WHERE d.key_type = 'managed'), 0)
        + coalesce(sum(e.other_pico) FILTER (WHERE d.key_type = 'managed'), 0) AS spend_pico
FROM rebuilt_spend_limit l
JOIN usage_event e USING (customer)
JOIN dimension d USING (dimension)
WHERE e.revision >= 1
    AND e.occurred_at >= CASE l.window_kind WHEN 'total' THEN timestamptz '-infinity'
        ELSE date_trunc(l.window_kind, l.watched_from, 'UTC') END
GROUP BY 1, 2, 3;

-- name: alert_derive
-- What was raised. The first decision counts, as the row that is there first does.
CREATE TEMP TABLE IF NOT EXISTS rebuilt_alert AS
SELECT DISTINCT ON (customer, limit_id, window_kind, window_start, limit_pico, threshold)
    customer, limit_id, window_kind, window_start, limit_pico, threshold, alert_id, window_end, spend_pico,
    raised_at
FROM (
    SELECT customer, lane, batch, ordinal, subject AS alert_id, window_end,
        (body ->> 'limit_id') COLLATE "C" AS limit_id, (body ->> 'threshold') COLLATE "C" AS threshold,
        (body ->> 'raised_at')::timestamptz AS raised_at,
        coalesce(window_start, '1970-01-01 00:00Z') AS window_start,
        CASE WHEN window_start IS NULL THEN 'total'
            WHEN window_end - window_start = interval '1 day' THEN 'day'
            WHEN window_end - window_start = interval '7 days' THEN 'week' ELSE 'month' END AS window_kind,
        trunc((body ->> 'limit_amount')::numeric * 1000000000000) AS limit_pico,
        trunc((body ->> 'spend')::numeric * 1000000000000) AS spend_pico
    FROM ledger_event
    CROSS JOIN LATERAL (SELECT (body ->> 'window_start')::timestamptz AS window_start,
        (body ->> 'window_end')::timestamptz AS window_end) AS stated
    WHERE kind = 'alert_raised'
) AS raised
ORDER BY customer, limit_id, window_kind, window_start, limit_pico, threshold, raised_at, lane, batch, ordinal;

-- name: rollup_hour_derive
-- The log summed up. What is not priced counts nothing; an hour with an event has a row, whatever it sums
-- up to.
CREATE TEMP TABLE IF NOT EXISTS rebuilt_rollup_hour AS
SELECT customer, date_bin('1 hour', occurred_at, '1970-01-01 00:00Z') AS hour_at, dimension,
    sum(requests) AS requests, sum(unrated) AS unrated,
    sum(uncached_input_tokens) AS uncached_input_tokens, sum(cached_input_tokens) AS cached_input_tokens,
    sum(output_tokens) AS output_tokens, coalesce(sum(input_pico), 0) AS input_pico,
    coalesce(sum(cached_input_pico), 0) AS cached_input_pico, coalesce(sum(output_pico), 0) AS output_pico,
    coalesce(sum(other_pico), 0) AS other_pico, coalesce(sum(fee_pico), 0) AS fee_pico
FROM usage_event WHERE revision >= 1
GROUP BY 1, 2, 3;

-- name: rollup_hour_unit_derive
-- The same for every unit that is not tokens.
CREATE TEMP TABLE IF NOT EXISTS rebuilt_rollup_hour_unit AS
SELECT customer, date_bin('1 hour', occurred_at, '1970-01-01 00:00Z') AS hour_at, dimension,
    unit COLLATE "C" AS unit, coalesce(sum((pair ->> 0)::numeric), 0) AS quantity,
    coalesce(sum((pair ->> 1)::numeric), 0) AS pico
FROM usage_event CROSS JOIN LATERAL jsonb_each(other_units) AS stored (unit, pair)
WHERE revision >= 1 AND other_units IS NOT NULL
GROUP BY 1, 2, 3, 4;

-- name: rollup_lane_hour_derive
-- The log summed up over all customers, lane by lane.
CREATE TEMP TABLE IF NOT EXISTS rebuilt_rollup_lane_hour AS
SELECT lane, date_bin('1 hour', occurred_at, '1970-01-01 00:00Z') AS hour_at, dimension,
    sum(requests) AS requests, sum(unrated) AS unrated,
    sum(uncached_input_tokens) AS uncached_input_tokens, sum(cached_input_tokens) AS cached_input_tokens,
    sum(output_tokens) AS output_tokens, coalesce(sum(input_pico), 0) AS input_pico,
    coalesce(sum(cached_input_pico), 0) AS cached_input_pico, coalesce(sum(output_pico), 0) AS output_pico,
    coalesce(sum(other_pico), 0) AS other_pico, coalesce(sum(fee_pico), 0) AS fee_pico
FROM usage_event WHERE revision >= 1
GROUP BY 1, 2, 3;

-- name: rollup_lane_hour_unit_derive
CREATE TEMP TABLE IF NOT EXISTS rebuilt_rollup_lane_hour_unit AS
SELECT lane, date_bin('1 hour', occurred_at, '1970-01-01 00:00Z') AS hour_at, dimension,
    unit COLLATE "C" AS unit, coalesce(sum((pair ->> 0)::numeric), 0) AS quantity,
    coalesce(sum((pair ->> 1)::numeric), 0) AS pico
FROM usage_event CROSS JOIN LATERAL jsonb_each(other_units) AS stored (unit, pair)
WHERE revision >= 1 AND other_units IS NOT NULL
GROUP BY 1, 2, 3, 4;

-- name: rollup_day_derive
-- The days that are read in place of their hours: condensed, and not marked since. Customer 0 is all together.
CREATE TEMP TABLE IF NOT EXISTS rebuilt_rollup_day AS
SELECT summed.customer, summed.day_on, summed.dimension, summed.requests, summed.unrated,
    summed.uncached_input_tokens, summed.cached_input_tokens, summed.output_tokens, summed.input_pico,
    summed.cached_input_pico, summed.output_pico, summed.other_pico, summed.fee_pico
FROM (
    SELECT coalesce(customer, 0) AS customer, day_on, dimension,
        sum(requests) AS requests, sum(unrated) AS unrated,
        sum(uncached_input_tokens) AS uncached_input_tokens,
        sum(cached_input_tokens) AS cached_input_tokens, sum(output_tokens) AS output_tokens,
        sum(input_pico) AS input_pico, sum(cached_input_pico) AS cached_input_pico,
        sum(output_pico) AS output_pico, sum(other_pico) AS other_pico, sum(fee_pico) AS fee_pico
    FROM (SELECT *, (hour_at AT TIME ZONE 'UTC')::date AS day_on FROM rebuilt_rollup_hour) AS r
    WHERE day_on < (SELECT condensed_until FROM configuration)
    GROUP BY GROUPING SETS ((customer, day_on, dimension), (day_on, dimension))
) AS summed
LEFT JOIN (SELECT DISTINCT customer, day_on, true AS is_marked FROM touched_day) AS t USING (customer, day_on)
WHERE t.is_marked IS NULL;

-- name: rollup_day_unit_derive
CREATE TEMP TABLE IF NOT EXISTS rebuilt_rollup_day_unit AS
SELECT summed.*
FROM (
    SELECT coalesce(customer, 0) AS customer, day_on, dimension, unit, sum(quantity) AS quantity, sum(pico) AS pico
    FROM (SELECT *, (hour_at AT TIME ZONE 'UTC')::date AS day_on FROM rebuilt_rollup_hour_unit) AS r
    WHERE day_on < (SELECT condensed_until FROM configuration)
    GROUP BY GROUPING SETS ((customer, day_on, dimension, unit), (day_on, dimension, unit))
) AS summed
LEFT JOIN (SELECT DISTINCT customer, day_on, true AS is_marked FROM touched_day) AS t USING (customer, day_on)
WHERE t.is_marked IS NULL;

-- name: meter_usage_derive
-- What tiered meters count. What is not priced counts nothing yet.
CREATE TEMP TABLE IF NOT EXISTS rebuilt_meter_usage AS
SELECT e.customer, m.meter_version, date_trunc('month', e.occurred_at AT TIME ZONE 'UTC')::date AS period_start,
    sum(metered_quantity(m.terms ->> 'unit', e.requests,
        e.uncached_input_tokens::numeric + e.cached_input_tokens + e.output_tokens, e.other_units)) AS quantity
FROM usage_event e JOIN dimension d USING (dimension) JOIN meter_version m USING (meter_version)
WHERE e.revision >= 1 AND e.unrated = 0 AND m.kind IN ('graduated', 'volume', 'package')
GROUP BY 1, 2, 3;

-- name: number_series_derive
-- The highest number that stands on a document.
CREATE TEMP TABLE IF NOT EXISTS rebuilt_number_series AS
SELECT regexp_replace(subject, '-[0-9]+$', '') AS series,
    max(substring(subject FROM '[0-9]+$')::bigint) AS last_number
FROM ledger_event WHERE kind = 'invoice_finalised'
GROUP BY 1;

-- name: invoice_derive
-- The documents as they were finalised; decimals keep their places.
CREATE TEMP TABLE IF NOT EXISTS rebuilt_invoice AS
SELECT customer, subject AS number, body ->> 'status' AS status,
    (body ->> 'period_start')::date AS period_start, (body ->> 'period_end')::date AS period_end,
    body ->> 'currency' AS currency, (body ->> 'subtotal')::numeric AS subtotal,
    (body ->> 'tax')::numeric AS tax, (body ->> 'total')::numeric AS total,
    trunc((body ->> 'rounding')::numeric * 1000000000000) AS rounding_pico,
    (body ->> 'issued_at')::timestamptz AS issued_at, body ->> 'cut' AS cut
FROM ledger_event WHERE kind = 'invoice_finalised';

-- name: invoice_line_derive
-- Their lines, in their order.
CREATE TEMP TABLE IF NOT EXISTS rebuilt_invoice_line AS
SELECT customer, subject AS number, line::integer AS line, (stated ->> 'provider') COLLATE "C" AS provider,
    (stated ->> 'model') COLLATE "C" AS model, (stated ->> 'key_type')::key_type AS key_type,
    (stated ->> 'period_start')::date AS period_start, (stated ->> 'period_end')::date AS period_end,
    (stated ->> 'requests')::numeric AS requests, (stated ->> 'input_tokens')::numeric AS input_tokens,
    (stated ->> 'cached_input_tokens')::numeric AS cached_input_tokens,
    (stated ->> 'output_tokens')::numeric AS output_tokens,
    trunc((stated ->> 'cost')::numeric * 1000000000000) AS cost_pico,
    trunc((stated ->> 'fee')::numeric * 1000000000000) AS fee_pico,
    trunc((stated ->> 'exact')::numeric * 1000000000000) AS exact_pico, (stated ->> 'amount')::numeric AS amount,
    (stated ->> 'meter') COLLATE "C" AS meter_slug
FROM ledger_event
CROSS JOIN LATERAL jsonb_array_elements(body -> 'lines') WITH ORDINALITY AS listed (stated, line)
WHERE kind = 'invoice_finalised';

-- name: customer_setting_stored
-- Comparing: every column of every row, in the order of the keys.
SELECT * FROM customer_setting ORDER BY customer;

-- name: customer_setting_rebuilt
SELECT * FROM rebuilt_customer_setting ORDER BY customer;

-- name: spend_limit_stored
SELECT * FROM spend_limit ORDER BY customer, limit_id;

-- name: spend_limit_rebuilt
SELECT * FROM rebuilt_spend_limit ORDER BY customer, limit_id;

-- name: api_key_stored
SELECT * FROM api_key ORDER BY customer, key_id;

-- name: api_key_rebuilt
SELECT * FROM rebuilt_api_key ORDER BY customer, key_id COLLATE "C";

-- name: limit_window_stored
SELECT * FROM limit_window ORDER BY customer, limit_id, window_start;

-- name: limit_window_rebuilt
SELECT * FROM rebuilt_limit_window ORDER BY customer, limit_id, window_start;

-- name: alert_stored
SELECT * FROM alert ORDER BY customer, limit_id, window_kind COLLATE "C", window_start, limit_pico, threshold;

-- name: alert_rebuilt
SELECT * FROM rebuilt_alert
ORDER BY customer, limit_id, window_kind COLLATE "C", window_start, limit_pico, threshold;

-- name: rollup_hour_stored
SELECT * FROM rollup_hour ORDER BY customer, hour_at, dimension;

-- name: rollup_hour_rebuilt
SELECT * FROM rebuilt_rollup_hour ORDER BY customer, hour_at, dimension;

-- name: rollup_hour_unit_stored
SELECT * FROM rollup_hour_unit ORDER BY customer, hour_at, dimension, unit;

-- name: rollup_hour_unit_rebuilt
SELECT * FROM rebuilt_rollup_hour_unit ORDER BY customer, hour_at, dimension, unit;

-- name: rollup_lane_hour_stored
SELECT * FROM rollup_lane_hour ORDER BY hour_at, dimension, lane;

-- name: rollup_lane_hour_rebuilt
SELECT * FROM rebuilt_rollup_lane_hour ORDER BY hour_at, dimension, lane;

-- name: rollup_lane_hour_unit_stored
SELECT * FROM rollup_lane_hour_unit ORDER BY hour_at, dimension, unit, lane;

-- name: rollup_lane_hour_unit_rebuilt
SELECT * FROM rebuilt_rollup_lane_hour_unit ORDER BY hour_at, dimension, unit, lane;

-- name: rollup_day_stored
SELECT * FROM rollup_day r
WHERE day_on < (SELECT condensed_until FROM configuration)
    AND NOT EXISTS (SELECT FROM touched_day t WHERE t.customer = r.customer AND t.day_on = r.day_on)
ORDER BY customer, day_on, dimension;

-- name: rollup_day_rebuilt
SELECT * FROM rebuilt_rollup_day ORDER BY customer, day_on, dimension;

-- name: rollup_day_unit_stored
SELECT * FROM rollup_day_unit r
WHERE day_on < (SELECT condensed_until FROM configuration)
    AND NOT EXISTS (SELECT FROM touched_day t WHERE t.customer = r.customer AND t.day_on = r.day_on)
ORDER BY customer, day_on, dimension, unit;

-- name: rollup_day_unit_rebuilt
SELECT * FROM rebuilt_rollup_day_unit ORDER BY customer, day_on, dimension, unit;

-- name: meter_usage_stored
SELECT * FROM meter_usage ORDER BY customer, meter_version, period_start;

-- name: meter_usage_rebuilt
SELECT * FROM rebuilt_meter_usage ORDER BY customer, meter_version, period_start;

-- name: number_series_stored
SELECT * FROM number_series ORDER BY series;

-- name: number_series_rebuilt
SELECT * FROM rebuilt_number_series ORDER BY series;

-- name: invoice_stored
SELECT * FROM invoice ORDER BY customer, number;

-- name: invoice_rebuilt
SELECT * FROM rebuilt_invoice ORDER BY customer, number;

-- name: invoice_line_stored
SELECT * FROM invoice_line ORDER BY customer, number, line;

-- name: invoice_line_rebuilt
SELECT * FROM rebuilt_invoice_line ORDER BY customer, number, line;

-- name: customer_setting_differing
-- What differs. Rows are compared as text: 5 and 5.00 are the same number and not the same bytes.
CREATE TEMP TABLE differing_customer_setting AS
SELECT customer FROM rebuilt_customer_setting r FULL JOIN customer_setting s USING (customer)
WHERE r::text IS DISTINCT FROM s::text;

-- name: spend_limit_differing
CREATE TEMP TABLE differing_spend_limit AS
SELECT customer, limit_id FROM rebuilt_spend_limit r FULL JOIN spend_limit s USING (customer, limit_id)
WHERE r::text IS DISTINCT FROM s::text;

-- name: api_key_differing
CREATE TEMP TABLE differing_api_key AS
SELECT customer, key_id FROM rebuilt_api_key r FULL JOIN api_key s USING (customer, key_id)
WHERE r::text IS DISTINCT FROM s::text;

-- name: limit_window_differing
-- Sums: what is to be added, and whether a fact knows the key.
CREATE TEMP TABLE differing_limit_window AS
SELECT customer, limit_id, window_start, r.customer IS NOT NULL AS is_known,
    coalesce(r.spend_pico, 0) - coalesce(s.spend_pico, 0) AS spend_pico
FROM rebuilt_limit_window r FULL JOIN limit_window s USING (customer, limit_id, window_start)
WHERE r::text IS DISTINCT FROM s::text;

-- name: alert_differing
CREATE TEMP TABLE differing_alert AS
SELECT customer, limit_id, window_kind, window_start, limit_pico, threshold
FROM rebuilt_alert r
FULL JOIN alert s USING (customer, limit_id, window_kind, window_start, limit_pico, threshold)
WHERE r::text IS DISTINCT FROM s::text;

-- name: rollup_hour_differing
-- Numbered in the order of the keys, so that they are posted in chunks and rows are locked in one order.
CREATE TEMP TABLE differing_rollup_hour AS
SELECT row_number() OVER (ORDER BY customer, hour_at, dimension) AS ordinal, customer, hour_at, dimension,
    r.customer IS NOT NULL AS is_known,
    coalesce(r.requests, 0) - coalesce(s.requests, 0) AS requests,
    coalesce(r.unrated, 0) - coalesce(s.unrated, 0) AS unrated,
    coalesce(r.uncached_input_tokens, 0) - coalesce(s.uncached_input_tokens, 0) AS uncached_input_tokens,
    coalesce(r.cached_input_tokens, 0) - coalesce(s.cached_input_tokens, 0) AS cached_input_tokens,
    coalesce(r.output_tokens, 0) - coalesce(s.output_tokens, 0) AS output_tokens,
    coalesce(r.input_pico, 0) - coalesce(s.input_pico, 0) AS input_pico,
    coalesce(r.cached_input_pico, 0) - coalesce(s.cached_input_pico, 0) AS cached_input_pico,
    coalesce(r.output_pico, 0) - coalesce(s.output_pico, 0) AS output_pico,
    coalesce(r.other_pico, 0) - coalesce(s.other_pico, 0) AS other_pico,
    coalesce(r.fee_pico, 0) - coalesce(s.fee_pico, 0) AS fee_pico
FROM rebuilt_rollup_hour r FULL JOIN rollup_hour s USING (customer, hour_at, dimension)
WHERE r::text IS DISTINCT FROM s::text;

-- name: rollup_hour_unit_differing
CREATE TEMP TABLE differing_rollup_hour_unit AS
SELECT row_number() OVER (ORDER BY customer, hour_at, dimension, unit) AS ordinal, customer, hour_at,
    dimension, unit, r.customer IS NOT NULL AS is_known,
    coalesce(r.quantity, 0) - coalesce(s.quantity, 0) AS quantity,
    coalesce(r.pico, 0) - coalesce(s.pico, 0) AS pico
FROM rebuilt_rollup_hour_unit r FULL JOIN rollup_hour_unit s USING (customer, hour_at, dimension, unit)
WHERE r::text IS DISTINCT FROM s::text;

-- name: rollup_lane_hour_differing
CREATE TEMP TABLE differing_rollup_lane_hour AS
SELECT row_number() OVER (ORDER BY hour_at, dimension, lane) AS ordinal, hour_at, dimension, lane,
    r.lane IS NOT NULL AS is_known,
    coalesce(r.requests, 0) - coalesce(s.requests, 0) AS requests,
    coalesce(r.unrated, 0) - coalesce(s.unrated, 0) AS unrated,
    coalesce(r.uncached_input_tokens, 0) - coalesce(s.uncached_input_tokens, 0) AS uncached_input_tokens,
    coalesce(r.cached_input_tokens, 0) - coalesce(s.cached_input_tokens, 0) AS cached_input_tokens,
    coalesce(r.output_tokens, 0) - coalesce(s.output_tokens, 0) AS output_tokens,
    coalesce(r.input_pico, 0) - coalesce(s.input_pico, 0) AS input_pico,
    coalesce(r.cached_input_pico, 0) - coalesce(s.cached_input_pico, 0) AS cached_input_pico,
    coalesce(r.output_pico, 0) - coalesce(s.output_pico, 0) AS output_pico,
    coalesce(r.other_pico, 0) - coalesce(s.other_pico, 0) AS other_pico,
    coalesce(r.fee_pico, 0) - coalesce(s.fee_pico, 0) AS fee_pico
FROM rebuilt_rollup_lane_hour r FULL JOIN rollup_lane_hour s USING (lane, hour_at, dimension)
WHERE r::text IS DISTINCT FROM s::text;

-- name: rollup_lane_hour_unit_differing
CREATE TEMP TABLE differing_rollup_lane_hour_unit AS
SELECT row_number() OVER (ORDER BY hour_at, dimension, unit, lane) AS ordinal, hour_at, dimension, unit, lane,
    r.lane IS NOT NULL AS is_known,
    coalesce(r.quantity, 0) - coalesce(s.quantity, 0) AS quantity,
    coalesce(r.pico, 0) - coalesce(s.pico, 0) AS pico
FROM rebuilt_rollup_lane_hour_unit r FULL JOIN rollup_lane_hour_unit s USING (lane, hour_at, dimension, unit)
WHERE r::text IS DISTINCT FROM s::text;

-- name: rollup_day_differing
-- Which days are to be worked out anew.
CREATE TEMP TABLE differing_rollup_day AS
SELECT customer, day_on, dimension
FROM rebuilt_rollup_day r
FULL JOIN (
    SELECT d.* FROM rollup_day d LEFT JOIN touched_day t USING (customer, day_on)
    WHERE t.epoch IS NULL AND day_on < (SELECT condensed_until FROM configuration)
) AS s USING (customer, day_on, dimension)
WHERE r::text IS DISTINCT FROM s::text;

-- name: rollup_day_unit_differing
CREATE TEMP TABLE differing_rollup_day_unit AS
SELECT customer, day_on, dimension, unit
FROM rebuilt_rollup_day_unit r
FULL JOIN (
    SELECT d.* FROM rollup_day_unit d LEFT JOIN touched_day t USING (customer, day_on)
    WHERE t.epoch IS NULL AND day_on < (SELECT condensed_until FROM configuration)
) AS s USING (customer, day_on, dimension, unit)
WHERE r::text IS DISTINCT FROM s::text;

-- name: meter_usage_differing
CREATE TEMP TABLE differing_meter_usage AS
SELECT row_number() OVER (ORDER BY customer, meter_version, period_start) AS ordinal, customer, meter_version,
    period_start, r.customer IS NOT NULL AS is_known,
    coalesce(r.quantity, 0) - coalesce(s.quantity, 0) AS quantity
FROM rebuilt_meter_usage r FULL JOIN meter_usage s USING (customer, meter_version, period_start)
WHERE r::text IS DISTINCT FROM s::text;

-- name: number_series_differing
CREATE TEMP TABLE differing_number_series AS
SELECT series, s.last_number AS before, r.last_number AS after
FROM rebuilt_number_series r FULL JOIN number_series s USING (series)
WHERE r::text IS DISTINCT FROM s::text;

-- name: invoice_differing
CREATE TEMP TABLE differing_invoice AS
SELECT customer, number FROM rebuilt_invoice r FULL JOIN invoice s USING (customer, number)
WHERE r::text IS DISTINCT FROM s::text;

-- name: invoice_line_differing
-- With both months: usage is billed in the one, and was taken for billed in the other.
CREATE TEMP TABLE differing_invoice_line AS
SELECT customer, number, line, r.period_start AS month_after, s.period_start AS month_before
FROM rebuilt_invoice_line r FULL JOIN invoice_line s USING (customer, number, line)
WHERE r::text IS DISTINCT FROM s::text;
