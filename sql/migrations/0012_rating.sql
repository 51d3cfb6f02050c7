-- More that prices depend on, and fees that depend on a whole period.

-- What an event was priced as: the region and hardware it was called with, and the listed model whose prices
-- count for it where that is not its own (an alias, or what a table falls back on).
ALTER TABLE dimension ADD COLUMN region text COLLATE "C";
ALTER TABLE dimension ADD COLUMN accelerator text COLLATE "C";
ALTER TABLE dimension ADD COLUMN billed_as text COLLATE "C";

DO $$
DECLARE
    narrower text;
BEGIN
    SELECT conname INTO STRICT narrower FROM pg_constraint
    WHERE conrelid = 'dimension'::regclass AND contype = 'u';
    EXECUTE format('ALTER TABLE dimension DROP CONSTRAINT %I', narrower);
END $$;

-- The words of a dimension as one value of fixed size: six of them can be more than an index row may hold.
-- Each is written behind its length, so that no two rows of words come to the same text.
CREATE FUNCTION dimension_words(
    provider text, model text, service_tier text, region text, accelerator text, billed_as text
) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sha256(replace(
        coalesce(length(provider)::text || ':' || provider, '-')
        || coalesce(length(model)::text || ':' || model, '-')
        || coalesce(length(service_tier)::text || ':' || service_tier, '-')
        || coalesce(length(region)::text || ':' || region, '-')
        || coalesce(length(accelerator)::text || ':' || accelerator, '-')
        || coalesce(length(billed_as)::text || ':' || billed_as, '-'), '\', '\\')::bytea)
$$;
CREATE UNIQUE INDEX dimension_key ON dimension
    (dimension_words(provider, model, service_tier, region, accelerator, billed_as), key_type, is_batch,
     rate_version, meter_version, promoted) NULLS NOT DISTINCT;

-- More kinds of meter. `terms` holds what they state besides a percentage: unit, rate, tiers, package size and
-- period.
ALTER TABLE meter_version DROP CONSTRAINT meter_version_kind_check;
ALTER TABLE meter_version ADD CONSTRAINT meter_version_kind_check
    CHECK (kind IN ('none', 'percentage', 'fixed', 'graduated', 'volume', 'package'));
ALTER TABLE meter_version ADD COLUMN terms jsonb;
ALTER TABLE meter_version ADD CONSTRAINT meter_version_terms_check
    CHECK ((kind IN ('none', 'percentage')) = (terms IS NULL));

-- What customers have used by a tiered meter in a month, in the stored integers that the meter counts. The fee
-- is a function of it and is worked out where it is asked for.
CREATE TABLE meter_usage (
    customer      integer NOT NULL,
    meter_version integer NOT NULL,
    period_start  date NOT NULL,
    quantity      numeric NOT NULL,
    PRIMARY KEY (customer, meter_version, period_start)
) WITH (fillfactor = 70);
GRANT SELECT, INSERT, UPDATE, DELETE ON meter_usage TO ledger_service;

-- A line of a tiered fee names its meter, and no provider, model or type of key.
ALTER TABLE invoice_line ALTER COLUMN key_type DROP NOT NULL;
ALTER TABLE invoice_line ADD COLUMN meter_slug text COLLATE "C";
ALTER TABLE invoice_line ADD CONSTRAINT invoice_line_key_type_check
    CHECK ((key_type IS NULL) = (meter_slug IS NOT NULL));

-- The hours with usage that has no price, for the job that rates it; and lines of tiered fees, where there are
-- any. Neither is touched by the usual row.
CREATE INDEX rollup_hour_unrated ON rollup_hour (customer, hour_at) WHERE unrated <> 0;
CREATE INDEX invoice_line_fee ON invoice_line (customer) WHERE meter_slug IS NOT NULL;

-- The tokens that lie within the input and the output of a request, as answers show those.
CREATE FUNCTION counts_as_input(unit text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT unit IN ('cache_write_tokens', 'cache_write_1h_tokens', 'audio_input_tokens',
                    'cached_audio_input_tokens', 'image_input_tokens')
$$;
CREATE FUNCTION counts_as_output(unit text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT unit IN ('reasoning_tokens', 'audio_output_tokens', 'image_output_tokens')
$$;

-- The same of one event, from its `other_units`.
CREATE FUNCTION input_parts(units jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(sum((pair ->> 0)::bigint) FILTER (WHERE ledger.counts_as_input(unit)), 0)::bigint
    FROM jsonb_each(units) AS stated (unit, pair)
$$;
CREATE FUNCTION output_parts(units jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(sum((pair ->> 0)::bigint) FILTER (WHERE ledger.counts_as_output(unit)), 0)::bigint
    FROM jsonb_each(units) AS stated (unit, pair)
$$;

-- Whether a meter that counts in the one unit counts usage of the other, as pricing.MeterUnit has it.
CREATE FUNCTION is_metered(meter_unit text, unit text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE meter_unit
        WHEN 'tokens_1m' THEN unit LIKE '%\_tokens'
        WHEN 'characters_1m' THEN unit IN ('input_characters', 'output_characters')
        WHEN 'minutes' THEN unit IN ('input_seconds', 'output_seconds')
        ELSE false END
$$;

-- What a meter counts of one event: of its requests, its tokens outside `other_units`, and those units.
CREATE FUNCTION metered_quantity(meter_unit text, requests numeric, tokens numeric, units jsonb) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE meter_unit WHEN 'requests' THEN requests WHEN 'tokens_1m' THEN tokens ELSE 0 END + coalesce((
        SELECT sum((pair ->> 0)::numeric) FROM jsonb_each(units) AS stated (unit, pair)
        WHERE ledger.is_metered(meter_unit, unit)), 0)
$$;
REVOKE EXECUTE ON FUNCTION
    dimension_words(text, text, text, text, text, text), counts_as_input(text), counts_as_output(text), input_parts(jsonb), output_parts(jsonb),
    is_metered(text, text), metered_quantity(text, numeric, numeric, jsonb)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    dimension_words(text, text, text, text, text, text), counts_as_input(text), counts_as_output(text), input_parts(jsonb), output_parts(jsonb),
    is_metered(text, text), metered_quantity(text, numeric, numeric, jsonb)
TO ledger_service;
