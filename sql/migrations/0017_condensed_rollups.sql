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
