-- name: customers
SELECT customer, customer_id FROM customer WHERE customer_id = ANY($1::text[]);

-- name: add_customers
-- In sorted order, so that two writers that add the same ones cannot deadlock.
INSERT INTO customer (customer_id)
SELECT name FROM unnest($1::text[]) AS name ORDER BY name COLLATE "C"
ON CONFLICT DO NOTHING;

-- name: count_dimensions
-- How many there are; of those how many that no table lists by name, and of those how many without a price.
SELECT count(*),
    count(*) FILTER (WHERE rate_version IS NULL OR billed_as IS NOT NULL),
    count(*) FILTER (WHERE rate_version IS NULL)
FROM dimension;

-- name: add_dimensions
INSERT INTO dimension (provider, model, key_type, service_tier, is_batch, rate_version, meter_version,
    region, accelerator, billed_as)
SELECT provider, model, key_type::key_type, service_tier, is_batch, rate_version, meter_version, region,
    accelerator, billed_as
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::integer[], $7::integer[],
        $8::text[], $9::text[], $10::text[])
    AS added (provider, model, key_type, service_tier, is_batch, rate_version, meter_version, region,
        accelerator, billed_as)
ORDER BY provider COLLATE "C", model COLLATE "C", key_type, service_tier COLLATE "C", is_batch,
    rate_version, meter_version, region COLLATE "C", accelerator COLLATE "C", billed_as COLLATE "C"
ON CONFLICT DO NOTHING;

-- name: dimensions
-- IS NOT DISTINCT FROM alone would compare each with each. The equalities say nothing more, but can be hashed.
SELECT d.dimension, d.provider, d.model, d.key_type::text, d.service_tier, d.is_batch, d.rate_version,
    d.meter_version, d.region, d.accelerator, d.billed_as
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::integer[], $7::integer[],
        $8::text[], $9::text[], $10::text[])
    AS wanted (provider, model, key_type, service_tier, is_batch, rate_version, meter_version, region,
        accelerator, billed_as)
JOIN dimension d ON d.provider IS NOT DISTINCT FROM wanted.provider
    AND d.model IS NOT DISTINCT FROM wanted.model
    AND d.key_type = wanted.key_type::key_type
    AND d.service_tier IS NOT DISTINCT FROM wanted.service_tier
    AND d.is_batch = wanted.is_batch
    AND d.rate_version IS NOT DISTINCT FROM wanted.rate_version
    AND d.meter_version IS NOT DISTINCT FROM wanted.meter_version
    AND d.region IS NOT DISTINCT FROM wanted.region
    AND d.accelerator IS NOT DISTINCT FROM wanted.accelerator
    AND d.billed_as IS NOT DISTINCT FROM wanted.billed_as
    AND coalesce(d.provider, '') = coalesce(wanted.provider, '')
    AND coalesce(d.model, '') = coalesce(wanted.model, '')
    AND coalesce(d.service_tier, '') = coalesce(wanted.service_tier, '')
    AND coalesce(d.region, '') = coalesce(wanted.region, '')
    AND coalesce(d.accelerator, '') = coalesce(wanted.accelerator, '')
WHERE d.promoted IS NULL;

-- name: customer_words
-- What numbers stand for; null asks for all of them.
SELECT customer, customer_id FROM customer WHERE $1::integer[] IS NULL OR customer = ANY($1);

-- name: dimension_words
-- The same for dimensions. A rate table is named with its fingerprint, a meter with its terms, so that
-- neither can change behind the number. What stands after the percentage came later; where all of it is null
-- it is left out, so that digests from before are still right.
SELECT d.dimension, d.provider, d.model, d.key_type::text, d.service_tier, d.is_batch, d.promoted::text,
    t.provider, t.version, t.fingerprint, m.slug, m.version, m.kind, m.percentage,
    d.region, d.accelerator, d.billed_as, m.terms::text
FROM dimension d LEFT JOIN rate_table t USING (rate_version) LEFT JOIN meter_version m USING (meter_version)
WHERE $1::integer[] IS NULL OR d.dimension = ANY($1);

-- name: dimension_meters
SELECT dimension, meter_version FROM dimension WHERE dimension = ANY($1::integer[]);
