-- works with: 0017
-- Sums of fewer rows, so that answers over everybody or over a year do not read every customer's every hour. Each
-- batch has to move or to mark some of them: programs from before must not write any more.

-- Sums of all customers. By the lane of the batch: writers never wait for one another over a row that all move.
CREATE TABLE rollup_lane_hour (
    lane                  integer NOT NULL,
    hour_at               timestamptz NOT NULL,
    dimension             integer NOT NULL,
    requests              bigint NOT NULL,
    unrated               bigint NOT NULL,
    uncached_input_tokens numeric NOT NULL,
    cached_input_tokens   numeric NOT NULL,
    output_tokens         numeric NOT NULL,
    input_pico            numeric NOT NULL,
    cached_input_pico     numeric NOT NULL,
    output_pico           numeric NOT NULL,
    other_pico            numeric NOT NULL,
    fee_pico              numeric NOT NULL,
    PRIMARY KEY (hour_at, dimension, lane)
) WITH (fillfactor = 70);

CREATE TABLE rollup_lane_hour_unit (
    lane      integer NOT NULL,
    hour_at   timestamptz NOT NULL,
    dimension integer NOT NULL,
    unit      text COLLATE "C" NOT NULL,
    quantity  numeric NOT NULL,
    pico      numeric NOT NULL,
    PRIMARY KEY (hour_at, dimension, unit, lane)
) WITH (fillfactor = 70);

-- Sums of days that are over, worked out from the hours by a job. Customer 0: of all customers together.
-- A row counts if its day is before `condensed_until` and is not marked in `touched_day`; else the hours do.
CREATE TABLE rollup_day (
    customer              integer NOT NULL,
    day_on                date NOT NULL,
    dimension             integer NOT NULL,
    requests              bigint NOT NULL,
    unrated               bigint NOT NULL,
    uncached_input_tokens numeric NOT NULL,
    cached_input_tokens   numeric NOT NULL,
    output_tokens         numeric NOT NULL,
    input_pico            numeric NOT NULL,
    cached_input_pico     numeric NOT NULL,
    output_pico           numeric NOT NULL,
    other_pico            numeric NOT NULL,
    fee_pico              numeric NOT NULL,
    PRIMARY KEY (customer, day_on, dimension)
);

CREATE TABLE rollup_day_unit (
    customer  integer NOT NULL,
    day_on    date NOT NULL,
    dimension integer NOT NULL,
    unit      text COLLATE "C" NOT NULL,
    quantity  numeric NOT NULL,
    pico      numeric NOT NULL,
    PRIMARY KEY (customer, day_on, dimension, unit)
);

-- Days whose sums have moved since they were worked out. Who condenses raises the epoch and takes the marks of
-- earlier ones: the batches that made those have committed.
CREATE TABLE touched_day (
    customer integer NOT NULL,
    day_on   date NOT NULL,
    epoch    bigint NOT NULL,
    PRIMARY KEY (customer, day_on, epoch)
);

-- Days before `marked_until` are marked by batches that move them, which begins with an epoch; those before
-- `condensed_until` have been worked out, which comes after. No request was made before 1970.
ALTER TABLE configuration
    ADD COLUMN marked_until date NOT NULL DEFAULT '1970-01-01',
    ADD COLUMN condensed_until date NOT NULL DEFAULT '1970-01-01',
    ADD CHECK (condensed_until <= marked_until);

GRANT SELECT, INSERT, UPDATE, DELETE ON
    rollup_lane_hour, rollup_lane_hour_unit, rollup_day, rollup_day_unit, touched_day
TO ledger_service;

-- A key of one customer sees its own days. Of the sums of everybody it sees none, and asking is no error: answers
-- to bound keys say too little rather than too much.
DO $$
DECLARE
    owned regclass;
BEGIN
    FOREACH owned IN ARRAY ARRAY[
        'rollup_lane_hour', 'rollup_lane_hour_unit', 'rollup_day', 'rollup_day_unit', 'touched_day'
    ]::regclass[] LOOP
        EXECUTE format('GRANT SELECT ON %s TO ledger_bound', owned);
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', owned);
        EXECUTE format('CREATE POLICY everything ON %s TO ledger_service USING (true)', owned);
    END LOOP;
    FOREACH owned IN ARRAY ARRAY['rollup_day', 'rollup_day_unit', 'touched_day']::regclass[] LOOP
        EXECUTE format('CREATE POLICY own_rows ON %s FOR SELECT TO ledger_bound '
                       'USING (customer = (SELECT bound_customer()))', owned);
    END LOOP;
END $$;

-- What answers read of the log itself: whole hours are summed up elsewhere, what lies before and after them is not;
-- and at a cut, what came after it is taken off again: `lanes` are those that go on after it, `batches` where each
-- stood. Functions, so that a question that needs neither, as most do, is not planned over every month of the log.
CREATE FUNCTION spend_of_log(
    start_at timestamptz, hours_from timestamptz, hours_to timestamptz, end_at timestamptz, customers integer[],
    lanes integer[], batches bigint[]
) RETURNS TABLE (
    customer integer, at timestamptz, dimension integer, requests numeric, unrated numeric,
    uncached_input_tokens numeric, cached_input_tokens numeric, output_tokens numeric, cost_pico numeric,
    fee_pico numeric
) LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT customer, date_trunc('hour', occurred_at, 'UTC'), dimension, sum(counted * requests)::numeric,
        sum(counted * unrated)::numeric, sum(counted * uncached_input_tokens), sum(counted * cached_input_tokens),
        sum(counted * output_tokens),
        sum(counted * coalesce(input_pico::numeric + cached_input_pico + output_pico + other_pico, 0)),
        sum(counted * coalesce(fee_pico, 0)::numeric)
    FROM (
        SELECT e.*, 1::numeric AS counted FROM usage_event e
        WHERE (start_at < hours_from OR hours_to < end_at) AND revision > 0
            AND (occurred_at >= start_at AND occurred_at < hours_from
                OR occurred_at >= hours_to AND occurred_at < end_at)
            AND (customers IS NULL OR customer = ANY(customers))
        UNION ALL
        SELECT after.*
        FROM unnest(lanes, batches) AS cut (lane, batch), LATERAL (
            SELECT e.*, -1::numeric FROM usage_event e
            WHERE e.lane = cut.lane AND e.batch > cut.batch AND revision > 0
                AND occurred_at >= start_at AND occurred_at < end_at
                AND (customers IS NULL OR customer = ANY(customers))
            OFFSET 0 -- lane by lane through the index; a join of the whole would read the whole log
        ) AS after
        WHERE cardinality(lanes) > 0
    ) AS part
    GROUP BY 1, 2, 3;
END $$;

CREATE FUNCTION units_of_log(
    start_at timestamptz, hours_from timestamptz, hours_to timestamptz, end_at timestamptz, customers integer[],
    lanes integer[], batches bigint[]
) RETURNS TABLE (customer integer, at timestamptz, dimension integer, unit text, quantity numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT customer, date_trunc('hour', occurred_at, 'UTC'), dimension, stated.unit,
        sum(counted * (pair ->> 0)::numeric)
    FROM (
        SELECT e.*, 1::numeric AS counted FROM usage_event e
        WHERE (start_at < hours_from OR hours_to < end_at) AND revision > 0 AND other_units IS NOT NULL
            AND (occurred_at >= start_at AND occurred_at < hours_from
                OR occurred_at >= hours_to AND occurred_at < end_at)
            AND (customers IS NULL OR customer = ANY(customers))
        UNION ALL
        SELECT after.*
        FROM unnest(lanes, batches) AS cut (lane, batch), LATERAL (
            SELECT e.*, -1::numeric FROM usage_event e
            WHERE e.lane = cut.lane AND e.batch > cut.batch AND revision > 0 AND other_units IS NOT NULL
                AND occurred_at >= start_at AND occurred_at < end_at
                AND (customers IS NULL OR customer = ANY(customers))
            OFFSET 0
        ) AS after
        WHERE cardinality(lanes) > 0
    ) AS part, LATERAL jsonb_each(other_units) AS stated (unit, pair)
    GROUP BY 1, 2, 3, 4;
END $$;

REVOKE EXECUTE ON FUNCTION
    spend_of_log(timestamptz, timestamptz, timestamptz, timestamptz, integer[], integer[], bigint[]),
    units_of_log(timestamptz, timestamptz, timestamptz, timestamptz, integer[], integer[], bigint[])
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    spend_of_log(timestamptz, timestamptz, timestamptz, timestamptz, integer[], integer[], bigint[]),
    units_of_log(timestamptz, timestamptz, timestamptz, timestamptz, integer[], integer[], bigint[])
TO ledger_service, ledger_bound;

-- What lanes have summed up until now. It takes about a second for each million events, and no writer is at work.
INSERT INTO rollup_lane_hour
SELECT lane, date_bin('1 hour', occurred_at, '1970-01-01 00:00Z'), dimension, sum(requests), sum(unrated),
    sum(uncached_input_tokens), sum(cached_input_tokens), sum(output_tokens), coalesce(sum(input_pico), 0),
    coalesce(sum(cached_input_pico), 0), coalesce(sum(output_pico), 0), coalesce(sum(other_pico), 0),
    coalesce(sum(fee_pico), 0)
FROM usage_event WHERE revision >= 1
GROUP BY 1, 2, 3;

INSERT INTO rollup_lane_hour_unit
SELECT lane, date_bin('1 hour', occurred_at, '1970-01-01 00:00Z'), dimension, unit COLLATE "C",
    coalesce(sum((pair ->> 0)::numeric), 0), coalesce(sum((pair ->> 1)::numeric), 0)
FROM usage_event CROSS JOIN LATERAL jsonb_each(other_units) AS stored (unit, pair)
WHERE revision >= 1 AND other_units IS NOT NULL
GROUP BY 1, 2, 3, 4;
