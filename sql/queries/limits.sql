-- name: move_windows
-- Sorted by key, as all rows are locked. Answers the spend of each window after the move.
INSERT INTO limit_window AS w
SELECT * FROM unnest($1::integer[], $2::text[], $3::timestamptz[], $4::numeric[])
ON CONFLICT (customer, limit_id, window_start) DO UPDATE SET spend_pico = w.spend_pico + excluded.spend_pico
RETURNING customer, limit_id, window_start, spend_pico;

-- name: raise_alerts
-- Only alerts that do not exist yet come back.
INSERT INTO alert (customer, limit_id, window_kind, window_start, limit_pico, threshold, alert_id,
    window_end, spend_pico, raised_at)
SELECT * FROM unnest($1::integer[], $2::text[], $3::text[], $4::timestamptz[], $5::numeric[], $6::text[],
    $7::text[], $8::timestamptz[], $9::numeric[], $10::timestamptz[])
ON CONFLICT (customer, limit_id, window_kind, window_start, limit_pico, threshold) DO NOTHING
RETURNING alert_id;

-- name: post
-- What is to be delivered, in the transaction that gave rise to it.
INSERT INTO outbox (customer, topic, subject, body, created_at)
SELECT customer, $4, subject, body, $5
FROM unnest($1::integer[], $2::text[], $3::jsonb[]) AS message (customer, subject, body)
ON CONFLICT DO NOTHING;

-- name: set
INSERT INTO spend_limit (customer, limit_id, amount_pico, window_kind, thresholds, action, watched_from)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (customer, limit_id) DO UPDATE SET
    amount_pico = excluded.amount_pico, window_kind = excluded.window_kind,
    thresholds = excluded.thresholds, action = excluded.action, watched_from = excluded.watched_from;

-- name: forget_windows
DELETE FROM limit_window WHERE customer = $1 AND limit_id = $2;

-- name: hourly_spend
-- What a customer has spent hour by hour from an instant on, to open a limit's windows with.
SELECT r.hour_at,
    sum(r.fee_pico + CASE d.key_type WHEN 'managed'
        THEN r.input_pico + r.cached_input_pico + r.output_pico + r.other_pico ELSE 0 END) AS spend_pico
FROM rollup_hour r JOIN dimension d USING (dimension)
WHERE r.customer = $1 AND r.hour_at >= $2
GROUP BY r.hour_at ORDER BY r.hour_at;

-- name: all
SELECT l.customer, c.customer_id, l.limit_id, l.amount_pico, l.window_kind, l.thresholds, l.action,
    l.watched_from
FROM spend_limit l JOIN customer c USING (customer)
WHERE $1::text[] IS NULL OR c.customer_id = ANY($1)
ORDER BY c.customer_id, l.limit_id;

-- name: alerts
SELECT a.alert_id, a.limit_id, c.customer_id, a.threshold, a.window_start, a.window_end, a.limit_pico,
    a.spend_pico, a.raised_at
FROM alert a JOIN customer c USING (customer)
WHERE ($1::text[] IS NULL OR c.customer_id = ANY($1))
ORDER BY a.raised_at, a.window_start, a.threshold::numeric, a.alert_id
LIMIT $2;
