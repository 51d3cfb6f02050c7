-- What looks at events takes a stretch of the log, lane by lane: after one batch, up to another. Null asks for
-- all of it. Within a stretch the hours and requests that it touched are checked whole.

-- name: events_equal_rollups
-- The log summed up anew, against the sums that answers are read from. A row that only one side has
-- differs in every figure.
WITH touched AS (
    SELECT DISTINCT date_bin('1 hour', e.occurred_at, '1970-01-01 00:00Z') AS hour_at
    FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS stretch (lane, after, upto)
    JOIN usage_event e ON e.lane = stretch.lane AND e.batch > stretch.after AND e.batch <= stretch.upto
), summed AS (
    SELECT customer, date_bin('1 hour', occurred_at, '1970-01-01 00:00Z') AS hour_at, dimension,
        sum(requests) AS requests, sum(unrated) AS unrated,
        sum(uncached_input_tokens) AS uncached_input_tokens,
        sum(cached_input_tokens) AS cached_input_tokens, sum(output_tokens) AS output_tokens,
        coalesce(sum(input_pico), 0) AS input_pico,
        coalesce(sum(cached_input_pico), 0) AS cached_input_pico,
        coalesce(sum(output_pico), 0) AS output_pico, coalesce(sum(other_pico), 0) AS other_pico,
        coalesce(sum(fee_pico), 0) AS fee_pico
    FROM usage_event
    WHERE revision >= 1 AND ($1 IS NULL OR (
        occurred_at >= (SELECT min(hour_at) FROM touched)
        AND occurred_at < (SELECT max(hour_at) FROM touched) + interval '1 hour'
        AND date_bin('1 hour', occurred_at, '1970-01-01 00:00Z') IN (SELECT hour_at FROM touched)))
    GROUP BY 1, 2, 3
), stored AS (
    SELECT * FROM rollup_hour WHERE $1 IS NULL OR hour_at IN (SELECT hour_at FROM touched)
)
SELECT count(*) OVER () AS found, json_build_object(
    'customer_id', c.customer_id, 'hour', instant_text(hour_at), 'dimension', dimension,
    'provider', d.provider, 'model', d.model, 'key_type', d.key_type,
    'differences', compared.differences) AS offender
FROM summed e
FULL JOIN stored r USING (customer, hour_at, dimension)
LEFT JOIN customer c USING (customer)
LEFT JOIN dimension d USING (dimension)
CROSS JOIN LATERAL (
    SELECT json_object_agg(figure, json_build_object('events', events::text, 'rollup', rollup::text))
        AS differences
    FROM (VALUES
        ('requests', e.requests::numeric, r.requests::numeric),
        ('unrated', e.unrated, r.unrated),
        ('uncached_input_tokens', e.uncached_input_tokens, r.uncached_input_tokens),
        ('cached_input_tokens', e.cached_input_tokens, r.cached_input_tokens),
        ('output_tokens', e.output_tokens, r.output_tokens),
        ('input_pico', e.input_pico, r.input_pico),
        ('cached_input_pico', e.cached_input_pico, r.cached_input_pico),
        ('output_pico', e.output_pico, r.output_pico),
        ('other_pico', e.other_pico, r.other_pico),
        ('fee_pico', e.fee_pico, r.fee_pico)
    ) AS pair (figure, events, rollup)
    WHERE events IS DISTINCT FROM rollup
) AS compared
WHERE (e.requests, e.unrated, e.uncached_input_tokens, e.cached_input_tokens, e.output_tokens,
        e.input_pico, e.cached_input_pico, e.output_pico, e.other_pico, e.fee_pico)
    IS DISTINCT FROM (r.requests, r.unrated, r.uncached_input_tokens, r.cached_input_tokens, r.output_tokens,
        r.input_pico, r.cached_input_pico, r.output_pico, r.other_pico, r.fee_pico)
ORDER BY c.customer_id, hour_at, dimension
LIMIT 10;

-- name: event_units_equal_rollups
-- The same for every unit that is not tokens.
WITH touched AS (
    SELECT DISTINCT date_bin('1 hour', e.occurred_at, '1970-01-01 00:00Z') AS hour_at
    FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS stretch (lane, after, upto)
    JOIN usage_event e ON e.lane = stretch.lane AND e.batch > stretch.after AND e.batch <= stretch.upto
), summed AS (
    SELECT customer, date_bin('1 hour', occurred_at, '1970-01-01 00:00Z') AS hour_at, dimension,
        unit COLLATE "C" AS unit, sum((pair ->> 0)::numeric) AS quantity,
        coalesce(sum((pair ->> 1)::numeric), 0) AS pico
    FROM usage_event CROSS JOIN LATERAL jsonb_each(other_units) AS stored (unit, pair)
    WHERE revision >= 1 AND other_units IS NOT NULL AND ($1 IS NULL OR (
        occurred_at >= (SELECT min(hour_at) FROM touched)
        AND occurred_at < (SELECT max(hour_at) FROM touched) + interval '1 hour'
        AND date_bin('1 hour', occurred_at, '1970-01-01 00:00Z') IN (SELECT hour_at FROM touched)))
    GROUP BY 1, 2, 3, 4
), stored AS (
    SELECT * FROM rollup_hour_unit WHERE $1 IS NULL OR hour_at IN (SELECT hour_at FROM touched)
)
SELECT count(*) OVER () AS found, json_build_object(
    'customer_id', c.customer_id, 'hour', instant_text(hour_at), 'dimension', dimension,
    'provider', d.provider, 'model', d.model, 'key_type', d.key_type, 'unit', unit,
    'quantity', json_build_object('events', e.quantity::text, 'rollup', r.quantity::text),
    'pico', json_build_object('events', e.pico::text, 'rollup', r.pico::text)) AS offender
FROM summed e
FULL JOIN stored r USING (customer, hour_at, dimension, unit)
LEFT JOIN customer c USING (customer)
LEFT JOIN dimension d USING (dimension)
WHERE (e.quantity, e.pico) IS DISTINCT FROM (r.quantity, r.pico)
ORDER BY c.customer_id, hour_at, dimension, unit
LIMIT 10;

-- name: rollups_equal_lane_rollups
-- The hours of all customers, summed up, and those that the lanes have. Other units stand in rows of their own.
WITH customers AS (
    SELECT hour_at, dimension, '' AS unit,
        sum(requests) AS requests, sum(unrated) AS unrated,
        sum(uncached_input_tokens) AS uncached_input_tokens,
        sum(cached_input_tokens) AS cached_input_tokens, sum(output_tokens) AS output_tokens,
        sum(input_pico) AS input_pico, sum(cached_input_pico) AS cached_input_pico,
        sum(output_pico) AS output_pico, sum(other_pico) AS other_pico, sum(fee_pico) AS fee_pico
    FROM rollup_hour GROUP BY 1, 2
), lanes AS (
    SELECT hour_at, dimension, '' AS unit,
        sum(requests) AS requests, sum(unrated) AS unrated,
        sum(uncached_input_tokens) AS uncached_input_tokens,
        sum(cached_input_tokens) AS cached_input_tokens, sum(output_tokens) AS output_tokens,
        sum(input_pico) AS input_pico, sum(cached_input_pico) AS cached_input_pico,
        sum(output_pico) AS output_pico, sum(other_pico) AS other_pico, sum(fee_pico) AS fee_pico
    FROM rollup_lane_hour GROUP BY 1, 2
), differing AS (
    SELECT hour_at, dimension, unit
    FROM customers c FULL JOIN lanes l USING (hour_at, dimension, unit)
    WHERE c IS DISTINCT FROM l
    UNION ALL
    SELECT hour_at, dimension, unit
    FROM (SELECT hour_at, dimension, unit, sum(quantity) AS quantity, sum(pico) AS pico
        FROM rollup_hour_unit GROUP BY 1, 2, 3) AS c
    FULL JOIN (SELECT hour_at, dimension, unit, sum(quantity) AS quantity, sum(pico) AS pico
        FROM rollup_lane_hour_unit GROUP BY 1, 2, 3) AS l USING (hour_at, dimension, unit)
    WHERE (c.quantity, c.pico) IS DISTINCT FROM (l.quantity, l.pico)
)
SELECT count(*) OVER () AS found, json_build_object(
    'hour', instant_text(hour_at), 'dimension', dimension, 'provider', d.provider, 'model', d.model,
    'unit', nullif(unit, '')) AS offender
FROM differing LEFT JOIN dimension d USING (dimension)
ORDER BY hour_at, dimension, unit
LIMIT 10;

-- name: rollups_equal_day_rollups
-- Days that are read in place of their hours, of customers and of all together, as customer 0. Those that are marked
-- or not yet condensed are read by nobody.
WITH hours AS (
    SELECT coalesce(customer, 0) AS customer, day_on, dimension, '' AS unit,
        sum(requests) AS requests, sum(unrated) AS unrated,
        sum(uncached_input_tokens) AS uncached_input_tokens,
        sum(cached_input_tokens) AS cached_input_tokens, sum(output_tokens) AS output_tokens,
        sum(input_pico) AS input_pico, sum(cached_input_pico) AS cached_input_pico,
        sum(output_pico) AS output_pico, sum(other_pico) AS other_pico, sum(fee_pico) AS fee_pico
    FROM (SELECT *, (hour_at AT TIME ZONE 'UTC')::date AS day_on FROM rollup_hour) AS r
    WHERE day_on < (SELECT condensed_until FROM configuration)
    GROUP BY GROUPING SETS ((customer, day_on, dimension), (day_on, dimension))
), hours_of_units AS (
    SELECT coalesce(customer, 0) AS customer, day_on, dimension, unit, sum(quantity) AS quantity, sum(pico) AS pico
    FROM (SELECT *, (hour_at AT TIME ZONE 'UTC')::date AS day_on FROM rollup_hour_unit) AS r
    WHERE day_on < (SELECT condensed_until FROM configuration)
    GROUP BY GROUPING SETS ((customer, day_on, dimension, unit), (day_on, dimension, unit))
), days AS (
    SELECT customer, day_on, dimension, '' AS unit, requests::numeric, unrated::numeric, uncached_input_tokens,
        cached_input_tokens, output_tokens, input_pico, cached_input_pico, output_pico, other_pico, fee_pico
    FROM rollup_day WHERE day_on < (SELECT condensed_until FROM configuration)
), days_of_units AS (
    SELECT * FROM rollup_day_unit WHERE day_on < (SELECT condensed_until FROM configuration)
), differing AS (
    SELECT customer, day_on, dimension, unit
    FROM hours h FULL JOIN days d USING (customer, day_on, dimension, unit)
    WHERE h IS DISTINCT FROM d
    UNION ALL
    SELECT customer, day_on, dimension, unit
    FROM hours_of_units h FULL JOIN days_of_units d USING (customer, day_on, dimension, unit)
    WHERE (h.quantity, h.pico) IS DISTINCT FROM (d.quantity, d.pico)
)
SELECT count(*) OVER () AS found, json_build_object(
    'customer_id', nullif(c.customer_id, ''), 'day', day_on, 'dimension', dimension, 'provider', d.provider,
    'model', d.model, 'unit', nullif(unit, '')) AS offender
FROM differing
LEFT JOIN customer c USING (customer)
LEFT JOIN dimension d USING (dimension)
WHERE NOT EXISTS (SELECT FROM touched_day t WHERE t.customer = differing.customer AND t.day_on = differing.day_on)
ORDER BY customer, day_on, dimension, unit
LIMIT 10;

-- name: rollups_equal_meter_usage
-- What tiered meters counted is what the rollups say was used by them, as far as it is rated.
WITH metered AS (
    SELECT dimension, meter_version, m.terms ->> 'unit' AS meter_unit
    FROM dimension d JOIN meter_version m USING (meter_version)
    WHERE m.kind IN ('graduated', 'volume', 'package') AND d.rate_version IS NOT NULL
), used AS (
    SELECT r.customer, m.meter_version, r.hour_at, metered_quantity(m.meter_unit, r.requests,
        r.uncached_input_tokens + r.cached_input_tokens + r.output_tokens, NULL) AS quantity
    FROM rollup_hour r JOIN metered m USING (dimension)
    UNION ALL
    SELECT r.customer, m.meter_version, r.hour_at, CASE WHEN is_metered(m.meter_unit, r.unit) THEN r.quantity ELSE 0 END
    FROM rollup_hour_unit r JOIN metered m USING (dimension)
), summed AS (
    SELECT customer, meter_version, date_trunc('month', hour_at AT TIME ZONE 'UTC')::date AS period_start,
        sum(quantity) AS quantity
    FROM used GROUP BY 1, 2, 3
)
SELECT count(*) OVER () AS found, json_build_object(
    'customer_id', c.customer_id, 'month', period_start, 'meter', m.slug, 'version', m.version,
    'rollups', s.quantity::text, 'meter_usage', u.quantity::text) AS offender
FROM summed s
FULL JOIN meter_usage u USING (customer, meter_version, period_start)
LEFT JOIN customer c USING (customer)
LEFT JOIN meter_version m USING (meter_version)
WHERE s.quantity IS DISTINCT FROM u.quantity
ORDER BY c.customer_id, m.slug, m.version, period_start
LIMIT 10;

-- name: rollups_equal_limit_windows
-- Each window of a limit holds what the rollups say was spent in it. A window without a row has spent
-- nothing, or had ended when the limit was set.
WITH spent AS (
    SELECT l.customer, l.limit_id,
        CASE l.window_kind WHEN 'total' THEN timestamptz '1970-01-01 00:00Z'
            ELSE date_trunc(l.window_kind, r.hour_at, 'UTC') END AS window_start,
        sum(r.fee_pico + CASE d.key_type WHEN 'managed'
            THEN r.input_pico + r.cached_input_pico + r.output_pico + r.other_pico ELSE 0 END) AS spend_pico
    FROM spend_limit l
    JOIN rollup_hour r USING (customer)
    JOIN dimension d USING (dimension)
    GROUP BY 1, 2, 3
)
SELECT count(*) OVER () AS found, json_build_object(
    'customer_id', c.customer_id, 'limit_id', limit_id, 'window_start', instant_text(window_start),
    'rollups', pico_text(coalesce(s.spend_pico, 0)), 'window', pico_text(w.spend_pico)) AS offender
FROM spent s
FULL JOIN limit_window w USING (customer, limit_id, window_start)
LEFT JOIN spend_limit l USING (customer, limit_id)
LEFT JOIN customer c USING (customer)
WHERE w.spend_pico <> coalesce(s.spend_pico, 0)
    OR (w.spend_pico IS NULL AND s.spend_pico <> 0 AND (
        l.window_kind = 'total'
        OR (window_start AT TIME ZONE 'UTC' + CASE l.window_kind WHEN 'day' THEN interval '1 day'
            WHEN 'week' THEN interval '7 days' ELSE interval '1 month' END) AT TIME ZONE 'UTC'
            > l.watched_from))
ORDER BY c.customer_id, limit_id, window_start
LIMIT 10;

-- name: alerts_complete
-- Each threshold that a window has reached has its alert for the limit's present amount; a correction may
-- have lowered the spend since, so an alert more is no fault. Alerts and the decisions to raise them match
-- one to one. The tiered fees in the windows are given: they are worked out elsewhere.
WITH missing AS (
    SELECT l.customer, l.limit_id, w.window_start, threshold, 'no alert' AS fault
    FROM spend_limit l
    JOIN limit_window w USING (customer, limit_id)
    CROSS JOIN LATERAL unnest(l.thresholds) AS threshold
    LEFT JOIN unnest($1::integer[], $2::text[], $3::timestamptz[], $4::numeric[])
            AS fee (customer, window_kind, window_start, fee_pico)
        ON fee.customer = l.customer AND fee.window_kind = l.window_kind AND fee.window_start = w.window_start
    WHERE w.spend_pico + coalesce(fee.fee_pico, 0) >= threshold::numeric * l.amount_pico
        AND NOT EXISTS (
            SELECT FROM alert a
            WHERE a.customer = l.customer AND a.limit_id = l.limit_id AND a.window_start = w.window_start
                AND a.window_kind = l.window_kind AND a.limit_pico = l.amount_pico AND a.threshold = threshold.threshold)
    UNION ALL
    SELECT coalesce(a.customer, e.customer), coalesce(a.limit_id, e.body ->> 'limit_id'), a.window_start,
        coalesce(a.threshold, e.body ->> 'threshold'),
        CASE WHEN a.alert_id IS NULL THEN 'a decision without its alert'
            ELSE 'an alert without its decision' END
    FROM alert a
    FULL JOIN (SELECT * FROM ledger_event WHERE kind = 'alert_raised') e
        ON e.customer = a.customer AND e.subject = a.alert_id
    WHERE a.alert_id IS NULL OR e.subject IS NULL
)
SELECT count(*) OVER () AS found, json_build_object(
    'customer_id', c.customer_id, 'limit_id', m.limit_id, 'window_start', instant_text(m.window_start),
    'threshold', m.threshold, 'fault', m.fault) AS offender
FROM missing m LEFT JOIN customer c USING (customer)
ORDER BY c.customer_id, m.limit_id, m.window_start, m.threshold, m.fault
LIMIT 10;

-- name: billed_and_uninvoiced_equal_events
-- What was used in a month and is not billed, or is billed and was not used, waits for the next invoice run.
-- In a month that is not marked no run would look for it. Tiered fees are given by customer, month and meter.
WITH difference AS (
    SELECT customer, period_start, NULL AS provider, NULL AS model, NULL::key_type AS key_type,
        0 AS requests, 0 AS input_tokens, 0 AS cached_input_tokens, 0 AS output_tokens, 0 AS cost_pico,
        fee_pico, fee_pico AS exact_pico, meter_slug
    FROM unnest($1::integer[], $2::text[], $3::date[], $4::numeric[])
        AS fee (customer, meter_slug, period_start, fee_pico)
    UNION ALL
    SELECT r.customer, date_trunc('month', r.hour_at AT TIME ZONE 'UTC')::date AS period_start,
        d.provider, d.model, d.key_type, sum(r.requests) AS requests,
        sum(r.uncached_input_tokens + r.cached_input_tokens) AS input_tokens,
        sum(r.cached_input_tokens) AS cached_input_tokens, sum(r.output_tokens) AS output_tokens,
        sum(r.input_pico + r.cached_input_pico + r.output_pico + r.other_pico) AS cost_pico,
        sum(r.fee_pico) AS fee_pico,
        sum(r.fee_pico + CASE d.key_type WHEN 'managed'
            THEN r.input_pico + r.cached_input_pico + r.output_pico + r.other_pico ELSE 0 END) AS exact_pico,
        NULL
    FROM rollup_hour r JOIN dimension d USING (dimension)
    GROUP BY 1, 2, 3, 4, 5
    UNION ALL
    SELECT u.customer, date_trunc('month', u.hour_at AT TIME ZONE 'UTC')::date, d.provider, d.model, d.key_type,
        0, coalesce(sum(u.quantity) FILTER (WHERE counts_as_input(u.unit)), 0), 0,
        coalesce(sum(u.quantity) FILTER (WHERE counts_as_output(u.unit)), 0), 0, 0, 0, NULL
    FROM rollup_hour_unit u JOIN dimension d USING (dimension)
    GROUP BY 1, 2, 3, 4, 5
    UNION ALL
    SELECT customer, period_start, provider, model, key_type, -requests, -input_tokens, -cached_input_tokens,
        -output_tokens, -cost_pico, -fee_pico, -exact_pico, meter_slug
    FROM invoice_line
), open AS (
    SELECT customer, period_start, provider, model, key_type, meter_slug, sum(requests) AS requests,
        sum(input_tokens) AS input_tokens, sum(cached_input_tokens) AS cached_input_tokens,
        sum(output_tokens) AS output_tokens, sum(cost_pico) AS cost_pico, sum(fee_pico) AS fee_pico,
        sum(exact_pico) AS exact_pico
    FROM difference GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT count(*) OVER () AS found, json_build_object(
    'customer_id', c.customer_id, 'month', o.period_start, 'provider', o.provider, 'model', o.model,
    'key_type', o.key_type, 'meter', o.meter_slug, 'used_minus_billed', json_build_object(
        'requests', o.requests::text, 'input_tokens', o.input_tokens::text,
        'cached_input_tokens', o.cached_input_tokens::text, 'output_tokens', o.output_tokens::text,
        'cost', pico_text(o.cost_pico), 'fee', pico_text(o.fee_pico), 'exact', pico_text(o.exact_pico)
    )) AS offender
FROM open o LEFT JOIN customer c USING (customer)
WHERE (o.requests, o.input_tokens, o.cached_input_tokens, o.output_tokens, o.cost_pico, o.fee_pico,
        o.exact_pico) <> (0, 0, 0, 0, 0, 0, 0)
    AND NOT EXISTS (
        SELECT FROM touched_period t WHERE t.customer = o.customer AND t.period_start = o.period_start)
ORDER BY c.customer_id, o.period_start, o.provider, o.model, o.key_type, o.meter_slug
LIMIT 10;

-- name: invoices_add_up
-- The amounts of the lines sum to the total, and the rounding is what the total is more than the exact sum.
SELECT count(*) OVER () AS found, json_build_object(
    'customer_id', c.customer_id, 'number', i.number,
    'subtotal', i.subtotal::text, 'tax', i.tax::text, 'total', i.total::text,
    'rounding', pico_text(i.rounding_pico), 'lines', json_build_object(
        'amount', l.amount::text, 'exact', pico_text(l.exact_pico))) AS offender
FROM invoice i
LEFT JOIN (
    SELECT customer, number, sum(amount) AS amount, sum(exact_pico) AS exact_pico
    FROM invoice_line GROUP BY customer, number
) l USING (customer, number)
LEFT JOIN customer c USING (customer)
WHERE (i.subtotal, i.total, i.rounding_pico)
    IS DISTINCT FROM (l.amount, l.amount + i.tax, l.amount * 1000000000000 - l.exact_pico)
ORDER BY c.customer_id, i.number
LIMIT 10;

-- name: invoices_equal_decisions
-- The rows of an invoice say what the decision that finalised it says; neither is there without the other.
WITH document AS (
    SELECT i.customer, i.number, i.cut, count(l.line) AS lines, jsonb_build_object(
        'number', i.number, 'status', i.status, 'period_start', i.period_start, 'period_end', i.period_end,
        'currency', i.currency, 'subtotal', i.subtotal::text, 'tax', i.tax::text, 'total', i.total::text,
        'rounding', pico_text(i.rounding_pico), 'issued_at', instant_text(i.issued_at),
        'lines', coalesce(jsonb_agg(jsonb_build_object(
            'provider', l.provider, 'model', l.model, 'key_type', l.key_type,
            'period_start', l.period_start, 'period_end', l.period_end, 'requests', l.requests,
            'input_tokens', l.input_tokens, 'cached_input_tokens', l.cached_input_tokens,
            'output_tokens', l.output_tokens, 'cost', pico_text(l.cost_pico), 'fee', pico_text(l.fee_pico),
            'exact', pico_text(l.exact_pico), 'amount', l.amount::text
        ) || CASE WHEN l.meter_slug IS NULL THEN '{}' ELSE jsonb_build_object('meter', l.meter_slug) END) FILTER (WHERE l.line IS NOT NULL), '[]')) AS body
    FROM invoice i LEFT JOIN invoice_line l USING (customer, number)
    GROUP BY i.customer, i.number
), decided AS (
    SELECT customer, subject AS number, body FROM ledger_event WHERE kind = 'invoice_finalised'
)
SELECT count(*) OVER () AS found, json_build_object(
    'customer_id', c.customer_id, 'number', number, 'fault',
    CASE WHEN e.body IS NULL THEN 'an invoice without its decision'
        WHEN d.body IS NULL THEN 'a decision without its invoice'
        ELSE 'the invoice differs from its decision' END) AS offender
FROM document d
FULL JOIN decided e USING (customer, number)
LEFT JOIN customer c USING (customer)
WHERE e.body IS NULL OR d.body IS NULL OR NOT e.body @> d.body
    OR jsonb_array_length(e.body -> 'lines') <> d.lines
    OR e.body ->> 'cut' IS DISTINCT FROM d.cut -- decisions from before cuts were kept do not have the key
ORDER BY c.customer_id, number
LIMIT 10;

-- name: invoice_numbers_gapless
-- Each series has every number from 1 to its last, once.
WITH taken AS (
    SELECT series, generate_series(1, last_number)::numeric AS ordinal FROM number_series
), issued AS (
    SELECT regexp_replace(number, '-[0-9]+$', '') AS series,
        substring(number FROM '[0-9]+$')::numeric AS ordinal, count(*) AS invoices
    FROM invoice GROUP BY 1, 2
)
SELECT count(*) OVER () AS found, json_build_object(
    'series', series, 'number', ordinal, 'invoices', coalesce(i.invoices, 0),
    'is_within_series', t.series IS NOT NULL) AS offender
FROM taken t FULL JOIN issued i USING (series, ordinal)
WHERE t.series IS NULL OR i.invoices IS DISTINCT FROM 1
ORDER BY series, ordinal
LIMIT 10;

-- name: revisions_whole
-- Revisions follow one another without a gap, each of the kind that its number asks for, and each reversal
-- is the exact negation of what stands before it.
WITH event AS (
    SELECT * FROM usage_event WHERE $1::integer[] IS NULL
    UNION ALL
    SELECT e.* FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS stretch (lane, after, upto)
    JOIN usage_event e ON e.lane = stretch.lane AND e.batch > stretch.after AND e.batch <= stretch.upto
), faulty AS (
    SELECT customer, request_id, opaque_id, lane, batch, revision,
        'counts or is of a kind that its number forbids' AS fault
    FROM event
    WHERE requests <> CASE WHEN revision = 0 THEN 0 WHEN revision % 2 = 1 THEN 1 ELSE -1 END
        OR unrated NOT IN (0, requests)
        OR kind NOT IN (
            CASE WHEN revision = 0 THEN 'pending'::event_kind WHEN revision = 1 THEN 'usage'
                WHEN revision % 2 = 1 THEN 'replacement' ELSE 'reversal' END,
            CASE WHEN revision = 0 THEN 'error'::event_kind END)
        OR (revision = 0 AND (other_units IS NOT NULL
            OR (uncached_input_tokens, cached_input_tokens, output_tokens) <> (0, 0, 0)))
    UNION ALL
    SELECT e.customer, e.request_id, e.opaque_id, e.lane, e.batch, e.revision,
        CASE WHEN p.revision IS NULL THEN 'has no revision before it'
            ELSE 'is not the negation of the revision before it' END
    FROM event e
    LEFT JOIN usage_event p
        ON p.request_id = e.request_id AND p.customer = e.customer AND p.revision = e.revision - 1
    WHERE e.revision >= 2 AND (p.revision IS NULL OR e.revision % 2 = 0 AND (
        (e.occurred_at, e.dimension, e.requests, e.unrated, e.uncached_input_tokens, e.cached_input_tokens,
            e.output_tokens, e.input_pico, e.cached_input_pico, e.output_pico, e.other_pico, e.fee_pico)
        IS DISTINCT FROM (p.occurred_at, p.dimension, -p.requests, -p.unrated, -p.uncached_input_tokens,
            -p.cached_input_tokens, -p.output_tokens, -p.input_pico, -p.cached_input_pico, -p.output_pico,
            -p.other_pico, -p.fee_pico)
        OR e.other_units IS DISTINCT FROM (
            SELECT jsonb_object_agg(unit, jsonb_build_array(-(pair ->> 0)::numeric, -(pair ->> 1)::numeric))
            FROM jsonb_each(p.other_units) AS stored (unit, pair))))
)
SELECT count(*) OVER () AS found, json_build_object(
    'customer_id', c.customer_id, 'request_id', request_id_text(f.request_id, f.opaque_id),
    'revision', f.revision, 'lane', f.lane, 'batch', f.batch, 'fault', f.fault) AS offender
FROM faulty f LEFT JOIN customer c USING (customer)
ORDER BY c.customer_id, f.request_id, f.revision
LIMIT 10;

-- name: batches_whole
-- Each lane's batches count from 1 without a gap, and each holds as many facts as its row says.
WITH stretch AS (
    SELECT * FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS given (lane, after, upto)
), numbered AS (
    SELECT b.*,
        lag(b.batch, 1, coalesce(s.after, 0)) OVER (PARTITION BY lane ORDER BY b.batch) AS batch_before
    FROM batch b LEFT JOIN stretch s USING (lane)
    WHERE $1 IS NULL OR (b.batch > s.after AND b.batch <= s.upto)
), event AS (
    SELECT lane, batch, count(*) AS events
    FROM usage_event LEFT JOIN stretch s USING (lane)
    -- Also what lies behind the end of its lane, or in a lane that is none.
    WHERE $1 IS NULL OR s.lane IS NULL OR batch > s.after
    GROUP BY lane, batch
), decision AS (
    SELECT lane, batch, count(*) AS decisions
    FROM ledger_event LEFT JOIN stretch s USING (lane)
    WHERE $1 IS NULL OR s.lane IS NULL OR batch > s.after
    GROUP BY lane, batch
)
SELECT count(*) OVER () AS found, json_build_object(
    'lane', lane, 'batch', batch, 'batch_before', b.batch_before,
    'events', json_build_object('batch', b.events, 'log', coalesce(e.events, 0)),
    'decisions', json_build_object('batch', b.decisions, 'log', coalesce(d.decisions, 0))) AS offender
FROM numbered b
FULL JOIN event e USING (lane, batch)
FULL JOIN decision d USING (lane, batch)
WHERE b.events IS NULL OR b.batch <> b.batch_before + 1 OR b.events <> coalesce(e.events, 0)
    OR b.decisions <> coalesce(d.decisions, 0)
ORDER BY lane, batch
LIMIT 10;

-- name: settings_equal_decisions
-- What is in force is what was decided last: rate tables, meters, who has which meter, limits, keys. Of two
-- decisions about the same the one that began the later epoch counts.
WITH decided AS (
    SELECT DISTINCT ON (e.kind, e.customer, e.subject) e.kind, e.customer, e.subject, e.body, b.recorded_at
    FROM ledger_event e LEFT JOIN batch b USING (lane, batch)
    WHERE e.kind IN ('customer_changed', 'limit_set')
    ORDER BY e.kind, e.customer, e.subject, e.epoch DESC NULLS LAST, b.recorded_at DESC
), compared AS (
    SELECT 'rate table' AS setting, 0 AS customer,
        coalesce(t.provider || '/' || t.version, e.subject) AS subject, to_jsonb(t) IS NULL AS is_missing,
        e.body IS NULL AS is_undecided, jsonb_build_object('provider', t.provider, 'version', t.version,
            'effective_from', instant_text(t.effective_from), 'currency', t.currency, 'source', t.source,
            'fingerprint', t.fingerprint, 'file', t.file) <@ e.body AS is_equal
    FROM rate_table t
    FULL JOIN (SELECT * FROM ledger_event WHERE kind = 'rate_table_published') e
        ON e.subject = t.provider || '/' || t.version
    UNION ALL
    SELECT 'meter', 0, coalesce(m.slug, e.subject), m.slug IS NULL, e.body IS NULL,
        jsonb_build_object('meter_slug', m.slug, 'version', m.version, 'kind', m.kind,
            'percentage', m.percentage)
            || coalesce(m.terms, '{}') - 'tiers'
            || CASE WHEN m.terms ? 'tiers' THEN jsonb_build_object('tiers', (
                SELECT jsonb_agg(jsonb_build_object('start', tier -> 0, 'rate', tier -> 1) ORDER BY place)
                FROM jsonb_array_elements(m.terms -> 'tiers') WITH ORDINALITY AS listed (tier, place)))
                ELSE '{}' END <@ e.body
    FROM meter_version m
    FULL JOIN (SELECT * FROM ledger_event WHERE kind = 'meter_published') e
        ON e.subject = m.slug AND (e.body ->> 'version')::integer = m.version
    UNION ALL
    SELECT 'meter of a customer', customer, e.subject, s.meter_slug IS NULL, e.body IS NULL,
        e.body ->> 'meter_slug' = s.meter_slug
    FROM customer_setting s
    FULL JOIN (SELECT * FROM decided WHERE kind = 'customer_changed') e USING (customer)
    UNION ALL
    SELECT 'limit', whose.customer, coalesce(l.limit_id, e.subject), l.limit_id IS NULL, e.body IS NULL,
        (e.body ->> 'amount')::numeric * 1000000000000 = l.amount_pico
            AND jsonb_build_object('window', l.window_kind, 'thresholds', l.thresholds, 'action', l.action)
                <@ e.body
            AND e.recorded_at = l.watched_from
    FROM spend_limit l
    FULL JOIN (SELECT * FROM decided WHERE kind = 'limit_set') e
        ON e.customer = l.customer AND e.subject = l.limit_id
    CROSS JOIN LATERAL (SELECT coalesce(l.customer, e.customer) AS customer) AS whose (customer)
    UNION ALL
    SELECT 'key', customer, coalesce(k.key_id, e.subject), k.key_id IS NULL, e.body IS NULL,
        jsonb_build_object('name', k.name, 'digest', encode(k.digest, 'hex'),
            'expires_at', instant_text(k.expires_at)) <@ e.body
            AND to_jsonb(k.scopes) = e.body -> 'scopes' -- an array holds every part of it
            AND (k.created_at, k.created_by) = (e.recorded_at, e.actor)
            AND k.revoked_at IS NOT DISTINCT FROM (
                SELECT min(b.recorded_at) FROM ledger_event r JOIN batch b USING (lane, batch)
                WHERE r.kind = 'key_revoked' AND r.customer = k.customer AND r.subject = k.key_id)
    FROM api_key k
    FULL JOIN (
        SELECT c.customer, c.subject AS key_id, c.subject, c.body, c.actor, b.recorded_at
        FROM ledger_event c LEFT JOIN batch b USING (lane, batch) WHERE c.kind = 'key_created'
    ) e USING (customer, key_id)
)
SELECT count(*) OVER () AS found, json_build_object(
    'customer_id', c.customer_id, 'setting', setting, 'subject', subject, 'fault',
    CASE WHEN is_missing THEN 'a decision without its setting'
        WHEN is_undecided THEN 'a setting without its decision'
        ELSE 'the setting differs from its decision' END) AS offender
FROM compared LEFT JOIN customer c USING (customer)
WHERE is_missing OR is_undecided OR is_equal IS NOT TRUE
ORDER BY c.customer_id, setting, subject
LIMIT 10;

-- name: guards_in_place
-- Every table and partition that holds facts refuses changes. Its owner could have switched that off.
WITH facts AS (
    SELECT relid AS guarded
    FROM unnest(ARRAY['usage_event', 'ledger_event', 'batch', 'customer', 'dimension', 'rate_table',
        'meter_version']::regclass[]) AS parent, pg_partition_tree(parent)
    UNION
    SELECT parent FROM unnest(ARRAY['ledger_event', 'batch', 'customer', 'dimension', 'rate_table',
        'meter_version']::regclass[]) AS parent
)
SELECT count(*) OVER () AS found, json_build_object('table', guarded::regclass::text, 'guard', guard) AS offender
FROM facts CROSS JOIN (VALUES ('facts_are_kept', 27), ('facts_are_kept_by_name', 58)) AS wanted (guard, events)
WHERE NOT EXISTS (
    SELECT FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
    WHERE tgrelid = guarded AND tgname = guard AND tgenabled IN ('O', 'A')
        AND tgtype = events AND tgqual IS NULL -- 27: before each row of UPDATE, DELETE; 58: TRUNCATE too, once
        AND tgfoid = 'refuse_change()'::regprocedure AND md5(prosrc) = '697a2ca0c97dedce878ba40270fa60f2')
ORDER BY guarded::regclass::text, guard
LIMIT 10;
