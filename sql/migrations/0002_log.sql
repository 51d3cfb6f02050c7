-- The log: every batch that one writer committed, the usage events and the decisions in it.
-- (lane, batch) orders facts: a lane has one writer at a time and commits its batches in order.

CREATE TABLE batch (
    lane        integer NOT NULL,
    batch       bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    events      integer NOT NULL,
    decisions   integer NOT NULL,
    PRIMARY KEY (lane, batch)
);

CREATE TYPE event_kind AS ENUM ('pending', 'error', 'usage', 'reversal', 'replacement');

-- One revision of one request. Amounts are in pico units of the ledger's currency (1e-12) and null when
-- unrated; quantities do not overlap. Every row is whole and signed: the sum over all rows is the truth.
-- `request_id` begins with the time, so new rows land at the right edge of the index; ids that are no
-- ULID ("opaque") have the top bit set and keep their text. Wide columns stand first to avoid padding.
CREATE TABLE usage_event (
    request_id            uuid NOT NULL,
    occurred_at           timestamptz NOT NULL,
    uncached_input_tokens bigint NOT NULL,
    cached_input_tokens   bigint NOT NULL,
    output_tokens         bigint NOT NULL,
    input_pico            bigint,
    cached_input_pico     bigint,
    output_pico           bigint,
    other_pico            bigint,
    fee_pico              bigint,
    batch                 bigint NOT NULL,
    lane                  integer NOT NULL,
    customer              integer NOT NULL,
    dimension             integer NOT NULL,
    stated                integer NOT NULL, -- bits: which fields the sender stated (ledger.core.statements)
    kind                  event_kind NOT NULL,
    revision              smallint NOT NULL,
    requests              smallint NOT NULL,
    unrated               smallint NOT NULL,
    opaque_id             text COLLATE "C",
    other_units           jsonb, -- {unit: [quantity, pico or null]} for all that is not tokens
    reported_cost         numeric, -- what the sender says it cost; shown beside ours, never used
    PRIMARY KEY (request_id, customer, revision)
) PARTITION BY RANGE (request_id);

CREATE INDEX usage_event_occurred_at ON usage_event USING brin (occurred_at) WITH (pages_per_range = 32);

-- The words that came with an event. Apart from the event, so that personal text can be erased
-- without touching a fact.
CREATE TABLE event_text (
    request_id  uuid NOT NULL,
    customer    integer NOT NULL,
    revision    smallint NOT NULL,
    response_id text,
    metadata    jsonb,
    fields      text, -- a JSON object: what the record said beyond the fields we know
    PRIMARY KEY (request_id, customer, revision)
) PARTITION BY RANGE (request_id);

-- Months lie between `past` and `future`; make_month_partitions cuts them out of `future`. There is no
-- default partition: one stray row there would block making its month.
CREATE TABLE usage_event_past PARTITION OF usage_event
    FOR VALUES FROM (MINVALUE) TO ('00000000-0000-0000-0000-000000000000');
CREATE TABLE usage_event_future PARTITION OF usage_event
    FOR VALUES FROM ('00000000-0000-0000-0000-000000000000') TO ('80000000-0000-0000-0000-000000000000');
CREATE TABLE usage_event_opaque PARTITION OF usage_event
    FOR VALUES FROM ('80000000-0000-0000-0000-000000000000') TO (MAXVALUE) PARTITION BY HASH (request_id);
CREATE TABLE usage_event_opaque_0 PARTITION OF usage_event_opaque FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE usage_event_opaque_1 PARTITION OF usage_event_opaque FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE usage_event_opaque_2 PARTITION OF usage_event_opaque FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE usage_event_opaque_3 PARTITION OF usage_event_opaque FOR VALUES WITH (MODULUS 4, REMAINDER 3);

CREATE TABLE event_text_past PARTITION OF event_text
    FOR VALUES FROM (MINVALUE) TO ('00000000-0000-0000-0000-000000000000');
CREATE TABLE event_text_future PARTITION OF event_text
    FOR VALUES FROM ('00000000-0000-0000-0000-000000000000') TO ('80000000-0000-0000-0000-000000000000');
CREATE TABLE event_text_opaque PARTITION OF event_text
    FOR VALUES FROM ('80000000-0000-0000-0000-000000000000') TO (MAXVALUE) PARTITION BY HASH (request_id);
CREATE TABLE event_text_opaque_0 PARTITION OF event_text_opaque FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE event_text_opaque_1 PARTITION OF event_text_opaque FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE event_text_opaque_2 PARTITION OF event_text_opaque FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE event_text_opaque_3 PARTITION OF event_text_opaque FOR VALUES WITH (MODULUS 4, REMAINDER 3);

CREATE TYPE decision_kind AS ENUM (
    'rate_table_published', 'meter_published', 'customer_changed', 'limit_set', 'alert_raised',
    'invoice_finalised'
);

-- Every decision that is not usage: what was decided, about what, by whom. The batch says when.
CREATE TABLE ledger_event (
    customer integer NOT NULL,
    lane     integer NOT NULL,
    batch    bigint NOT NULL,
    ordinal  integer NOT NULL,
    kind     decision_kind NOT NULL,
    subject  text COLLATE "C" NOT NULL,
    actor    text COLLATE "C" NOT NULL,
    body     jsonb NOT NULL,
    PRIMARY KEY (customer, lane, batch, ordinal)
);

-- Writers read the epoch inside the fence (a shared advisory lock); who changes what writers cache
-- takes the lock exclusively and raises it. See ledger.store.fence.
-- A ledger has one currency, set once by the first process that opens it.
CREATE TABLE configuration (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch    bigint NOT NULL,
    currency text
);
INSERT INTO configuration (epoch) VALUES (1);

-- Two steps in one round trip: the epoch must be read by a later statement than the one that waited for
-- the lock, or the snapshot would be older than the change it waited for.
CREATE FUNCTION enter_fence() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1, 0);
    RETURN (SELECT epoch FROM configuration);
END $$;

CREATE FUNCTION raise_epoch() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    raised bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(1, 0);
    UPDATE configuration SET epoch = epoch + 1 RETURNING epoch INTO raised;
    RETURN raised;
END $$;
