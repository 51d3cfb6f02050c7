-- name: touched_customers
-- Whom a run has to look at, a chunk at a time, in the order of their numbers.
SELECT c.customer, c.customer_id
FROM (
    SELECT DISTINCT customer FROM touched_period
    WHERE customer > $1 AND period_start < $2 AND ($3::integer IS NULL OR customer = $3)
    ORDER BY customer LIMIT $4
) AS touched JOIN customer c USING (customer)
ORDER BY c.customer;

-- name: lock_customers
-- Session locks, because they must be held before the snapshot begins. The numbers come sorted and unnest
-- keeps their order, so two runs cannot wait for each other.
SELECT pg_advisory_lock(3, customer) FROM unnest($1::integer[]) AS customer;

-- name: try_lock_customer
-- The same lock, for who would rather not wait.
SELECT pg_try_advisory_lock(3, $1);

-- name: unlock_customers
SELECT pg_advisory_unlock(3, customer) FROM unnest($1::integer[]) AS customer;

-- name: invoiced_customers
-- Who has the regular invoice of a period already.
SELECT customer FROM invoice WHERE customer = ANY($1::integer[]) AND period_start = $2;

-- name: due
-- The exact usage of every touched month minus what the lines of earlier invoices billed for it. The months
-- are read one by one through the primary key (LATERAL), whatever the planner thinks of their size: days that are
-- condensed, up to `days_until`, and hours of the others and of those that have moved since. Sums come as text: they
-- are whole numbers, and wider than an integer of the database.
WITH month AS (
    SELECT customer, period_start, month_end,
        least(greatest(condensed_until, period_start), month_end) AS days_until
    FROM (
        SELECT DISTINCT customer, period_start, (period_start + interval '1 month')::date AS month_end
        FROM touched_period WHERE customer = ANY($1::integer[]) AND period_start < $2
    ) AS touched CROSS JOIN configuration
), moved AS (
    SELECT DISTINCT month.customer, month.period_start, t.day_on
    FROM month JOIN touched_day t
        ON t.customer = month.customer AND t.day_on >= month.period_start AND t.day_on < month.days_until
), stretch AS (
    SELECT customer, period_start, days_until::timestamp AT TIME ZONE 'UTC' AS from_at,
        month_end::timestamp AT TIME ZONE 'UTC' AS to_at
    FROM month WHERE days_until < month_end
    UNION ALL
    SELECT customer, period_start, day_on::timestamp AT TIME ZONE 'UTC',
        (day_on + 1)::timestamp AT TIME ZONE 'UTC'
    FROM moved
)
SELECT customer, period_start, provider, model, key_type::text,
    sum(requests)::text AS requests,
    sum(input_tokens)::text AS input_tokens,
    sum(cached_input_tokens)::text AS cached_input_tokens,
    sum(output_tokens)::text AS output_tokens,
    sum(cost_pico)::text AS cost_pico,
    sum(fee_pico)::text AS fee_pico,
    sum(exact_pico)::text AS exact_pico,
    sum(unrated)::text AS unrated
FROM (
    SELECT used.customer, used.period_start, d.provider, d.model, d.key_type, used.requests,
        used.input_tokens, used.cached_input_tokens, used.output_tokens, used.cost_pico, used.fee_pico,
        used.fee_pico + CASE d.key_type WHEN 'managed' THEN used.cost_pico ELSE 0 END AS exact_pico,
        used.unrated
    FROM (
        SELECT month.customer, month.period_start, days.*
        FROM month CROSS JOIN LATERAL (
            SELECT dimension,
                sum(requests) AS requests,
                sum(unrated) AS unrated,
                sum(uncached_input_tokens + cached_input_tokens) AS input_tokens,
                sum(cached_input_tokens) AS cached_input_tokens,
                sum(output_tokens) AS output_tokens,
                sum(input_pico + cached_input_pico + output_pico + other_pico) AS cost_pico,
                sum(fee_pico) AS fee_pico
            FROM rollup_day r
            WHERE r.customer = month.customer AND day_on >= month.period_start AND day_on < month.days_until
                AND NOT EXISTS (SELECT FROM moved m WHERE m.customer = r.customer AND m.day_on = r.day_on)
            GROUP BY dimension
        ) AS days
        UNION ALL
        SELECT stretch.customer, stretch.period_start, hours.*
        FROM stretch CROSS JOIN LATERAL (
            SELECT dimension, sum(requests), sum(unrated), sum(uncached_input_tokens + cached_input_tokens),
                sum(cached_input_tokens), sum(output_tokens),
                sum(input_pico + cached_input_pico + output_pico + other_pico), sum(fee_pico)
            FROM rollup_hour r
            WHERE r.customer = stretch.customer AND hour_at >= stretch.from_at AND hour_at < stretch.to_at
            GROUP BY dimension
        ) AS hours
    ) AS used
    JOIN dimension d USING (dimension)
    UNION ALL
    SELECT part.customer, part.period_start, d.provider, d.model, d.key_type, 0,
        CASE WHEN counts_as_input(part.unit) THEN part.quantity ELSE 0 END, 0,
        CASE WHEN counts_as_output(part.unit) THEN part.quantity ELSE 0 END, 0, 0, 0, 0
    FROM (
        SELECT month.customer, month.period_start, days.*
        FROM month CROSS JOIN LATERAL (
            SELECT dimension, unit, sum(quantity) AS quantity
            FROM rollup_day_unit r
            WHERE r.customer = month.customer AND day_on >= month.period_start AND day_on < month.days_until
                AND NOT EXISTS (SELECT FROM moved m WHERE m.customer = r.customer AND m.day_on = r.day_on)
            GROUP BY dimension, unit
        ) AS days
        UNION ALL
        SELECT stretch.customer, stretch.period_start, hours.*
        FROM stretch CROSS JOIN LATERAL (
            SELECT dimension, unit, sum(quantity)
            FROM rollup_hour_unit r
            WHERE r.customer = stretch.customer AND hour_at >= stretch.from_at AND hour_at < stretch.to_at
            GROUP BY dimension, unit
        ) AS hours
    ) AS part
    JOIN dimension d USING (dimension)
    UNION ALL
    SELECT l.customer, l.period_start, l.provider, l.model, l.key_type, -l.requests, -l.input_tokens,
        -l.cached_input_tokens, -l.output_tokens, -l.cost_pico, -l.fee_pico, -l.exact_pico, 0
    FROM month JOIN invoice_line l USING (customer, period_start)
    WHERE l.meter_slug IS NULL
) AS difference
GROUP BY customer, period_start, provider, model, difference.key_type
ORDER BY customer, period_start, provider, model, difference.key_type;

-- name: billed_fees
-- What earlier invoices billed of tiered fees.
SELECT customer, meter_slug, period_start, sum(fee_pico)::text AS fee_pico
FROM invoice_line
WHERE customer = ANY($1::integer[]) AND period_start < $2 AND meter_slug IS NOT NULL
GROUP BY 1, 2, 3;

-- name: billed_before
-- The same of one meter and month, by the invoices before one: a longer number is a later one.
SELECT coalesce(sum(fee_pico), 0)::text
FROM invoice_line
WHERE customer = $1 AND (length(number), number) < (length($2::text), $2::text COLLATE "C")
    AND meter_slug = $3 AND period_start = $4;

-- name: forget_touched
-- Months that are settled. Marks of the run's own epoch and later stay: they may stand for usage that the
-- run has not seen.
DELETE FROM touched_period
WHERE customer = ANY($1::integer[]) AND period_start < $2 AND epoch < $3;

-- name: take_numbers
-- The row is locked until the transaction ends, and a transaction that fails gives its numbers back:
-- hence no gap.
INSERT INTO number_series AS s (series, last_number) VALUES ($1, $2)
ON CONFLICT (series) DO UPDATE SET last_number = s.last_number + excluded.last_number
RETURNING last_number;

-- name: add_invoices
INSERT INTO invoice (customer, number, status, period_start, period_end, currency, subtotal, tax, total,
    rounding_pico, issued_at, cut)
SELECT customer, number, $1, $2, $3, $4, total::numeric, tax::numeric, total::numeric,
    rounding_pico::numeric, $5, $6
FROM unnest($7::integer[], $8::text[], $9::text[], $10::text[], $11::text[])
    AS added (customer, number, total, tax, rounding_pico);

-- name: heads
-- In the order of issue: a longer number is a later one.
SELECT i.number, c.customer_id, i.period_start, i.period_end, i.status, i.currency, i.total::text
FROM invoice i JOIN customer c USING (customer)
WHERE (length(i.number), i.number) > (length($1::text), $1::text COLLATE "C")
    AND ($2::text[] IS NULL OR c.customer_id = ANY($2))
ORDER BY length(i.number), i.number
LIMIT $3;

-- name: invoice
SELECT i.customer, c.customer_id, i.number, i.status, i.period_start, i.period_end, i.currency,
    i.total::text, i.rounding_pico::text, i.issued_at, i.cut
FROM invoice i JOIN customer c USING (customer)
WHERE length(i.number) = length($1) AND i.number = $1 AND ($2::text[] IS NULL OR c.customer_id = ANY($2));

-- name: lines
SELECT meter_slug, provider, model, key_type::text, period_start, requests::text, input_tokens::text,
    cached_input_tokens::text, output_tokens::text, cost_pico::text, fee_pico::text, exact_pico::text,
    amount::text
FROM invoice_line WHERE customer = $1 AND number = $2 ORDER BY line;
