-- name: epoch
SELECT epoch FROM configuration;

-- name: head
-- The epoch in force, and before which day the sums of days are marked when they move.
SELECT epoch, marked_until FROM configuration;

-- name: adopt_currency
UPDATE configuration SET currency = $1 WHERE currency IS NULL;

-- name: currency
SELECT currency FROM configuration;

-- name: rate_tables
SELECT rate_version, file, content, currency FROM rate_table ORDER BY rate_version;

-- name: customer_meters
SELECT customer, meter_slug FROM customer_setting;

-- name: publish_rate_table
INSERT INTO rate_table (rate_version, provider, version, effective_from, currency, source, fingerprint,
    file, content)
SELECT coalesce(max(rate_version), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8 FROM rate_table
RETURNING rate_version;

-- name: published_tables
-- With the moment each was published, which its decision says.
SELECT t.rate_version, t.provider, t.version, t.effective_from, t.currency, t.source, t.fingerprint, t.file,
    (SELECT min(b.recorded_at)
        FROM ledger_event p JOIN batch b USING (lane, batch)
        WHERE p.customer = 0 AND p.kind = 'rate_table_published'
            AND p.subject = t.provider || '/' || t.version) AS published_at
FROM rate_table t ORDER BY t.provider, t.effective_from, t.rate_version;

-- name: used_since
-- What a provider's models were used for in a span that a table is published for: those requests were rated
-- without it. `invoiced_months` are those of the span that invoices have lines for.
SELECT coalesce(sum(r.requests), 0) AS requests, coalesce(sum(r.unrated), 0) AS unrated, max(r.hour_at) + interval '1 hour' AS last_hour_end,
    ARRAY(SELECT DISTINCT l.period_start FROM invoice_line l
        WHERE l.provider = $1 AND l.period_start >= date_trunc('month', $2::timestamptz AT TIME ZONE 'UTC')
            AND ($3::timestamptz IS NULL OR l.period_start < $3 AT TIME ZONE 'UTC')
        ORDER BY l.period_start) AS invoiced_months
FROM rollup_hour r JOIN dimension d USING (dimension)
WHERE d.provider = $1 AND r.hour_at >= $2 AND ($3::timestamptz IS NULL OR r.hour_at < $3);

-- name: set_customer_meter
INSERT INTO customer_setting (customer, meter_slug) VALUES ($1, $2)
ON CONFLICT (customer) DO UPDATE SET meter_slug = excluded.meter_slug;

-- name: list_customers
SELECT c.customer_id, s.meter_slug FROM customer c LEFT JOIN customer_setting s USING (customer)
WHERE c.customer <> 0 AND c.customer_id > $1 AND ($3::text IS NULL OR c.customer_id = $3)
ORDER BY c.customer_id LIMIT $2;
