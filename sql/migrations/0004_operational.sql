-- Operational tables: neither facts nor derived from them.

-- Months with usage that no invoice run has looked at yet. Written once per customer, month and epoch;
-- a run raises the epoch first, so that whatever it may not have seen is marked again.
CREATE TABLE touched_period (
    customer     integer NOT NULL,
    period_start date NOT NULL,
    epoch        bigint NOT NULL,
    PRIMARY KEY (customer, period_start, epoch)
);

-- Messages to deliver, written in the transaction that gave rise to them.
CREATE TABLE outbox (
    customer     integer NOT NULL,
    topic        text COLLATE "C" NOT NULL,
    subject      text COLLATE "C" NOT NULL,
    body         jsonb NOT NULL,
    created_at   timestamptz NOT NULL,
    delivered_at timestamptz,
    PRIMARY KEY (customer, topic, subject)
);

-- Records that could not be accepted, with the reason, once for each sender, content and reason.
CREATE TABLE quarantine (
    sender        text COLLATE "C" NOT NULL,
    digest        bytea NOT NULL, -- SHA-256 of the whole record as it arrived
    code          text COLLATE "C" NOT NULL,
    outcome       text NOT NULL CHECK (outcome IN ('rejected', 'conflict')),
    field         text,
    detail        text NOT NULL,
    customer_id   text COLLATE "C",
    request_id    text COLLATE "C",
    record        bytea NOT NULL, -- the first 64 KiB, secrets replaced by a hint
    sightings     bigint NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    PRIMARY KEY (sender, digest, code)
);
