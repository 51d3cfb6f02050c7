-- works with: 0017
-- What reads much of the log: the texts that every row of an export has made in fewer steps.

-- Numbers of 5 bits, eight of them in 40 bits, with a byte for each.
CREATE FUNCTION spread_digits(bits bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (bits & x'1F'::bigint)
        | ((bits << 3) & x'1F00'::bigint)
        | ((bits << 6) & x'1F0000'::bigint)
        | ((bits << 9) & x'1F000000'::bigint)
        | ((bits << 12) & x'1F00000000'::bigint)
        | ((bits << 15) & x'1F0000000000'::bigint)
        | ((bits << 18) & x'1F000000000000'::bigint)
        | ((bits << 21) & x'1F00000000000000'::bigint)
$$;

-- The letters of eight such numbers in ASCII. Crockford's base 32 goes from 9 to A and leaves out I, L, O and U:
-- from the numbers 10, 18, 20, 22 and 27 on there is something to add. To see whether a number reaches n, 32 - n
-- is added: then its sixth bit is set.
CREATE FUNCTION base32_letters(digits bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT digits + x'3030303030303030'::bigint
        + (((digits + x'1616161616161616'::bigint) >> 5) & x'0101010101010101'::bigint) * 7
        + (((digits + x'0E0E0E0E0E0E0E0E'::bigint) >> 5) & x'0101010101010101'::bigint)
        + (((digits + x'0C0C0C0C0C0C0C0C'::bigint) >> 5) & x'0101010101010101'::bigint)
        + (((digits + x'0A0A0A0A0A0A0A0A'::bigint) >> 5) & x'0101010101010101'::bigint)
        + (((digits + x'0505050505050505'::bigint) >> 5) & x'0101010101010101'::bigint)
$$;
REVOKE EXECUTE ON FUNCTION spread_digits(bigint), base32_letters(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION spread_digits(bigint), base32_letters(bigint) TO ledger_service, ledger_bound;

-- As before: the opaque text, or `req_` and the 128 bits as 26 digits, now eight digits at a time. The first
-- byte holds two of them, the first with 3 bits.
CREATE OR REPLACE FUNCTION request_id_text(id uuid, opaque_id text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    hex text;
    first bigint;
    second bigint;
    third bigint;
    fourth bigint;
BEGIN
    IF opaque_id IS NOT NULL THEN
        RETURN opaque_id;
    END IF;
    hex := replace(id::text, '-', '');
    first := ledger.spread_digits(('x' || left(hex, 2))::bit(8)::integer);
    second := ledger.spread_digits(('x' || substr(hex, 3, 10))::bit(40)::bigint);
    third := ledger.spread_digits(('x' || substr(hex, 13, 10))::bit(40)::bigint);
    fourth := ledger.spread_digits(('x' || substr(hex, 23, 10))::bit(40)::bigint);
    RETURN 'req_' || convert_from(decode(
        right(to_hex(ledger.base32_letters(first)), 4) || to_hex(ledger.base32_letters(second))
            || to_hex(ledger.base32_letters(third)) || to_hex(ledger.base32_letters(fourth)), 'hex'), 'UTF8');
END $$;

-- As before, with one call for the digits.
CREATE OR REPLACE FUNCTION instant_text(instant timestamptz) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT to_char(instant AT TIME ZONE 'UTC',
        CASE WHEN date_trunc('second', instant) = instant THEN 'YYYY-MM-DD"T"HH24:MI:SS"Z"'
            ELSE 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"' END)
$$;

-- A barrier keeps functions that callers bring along from seeing rows before they are left out. Nobody brings any:
-- what is asked stands in our own files. But what lies behind a barrier is worked out whole, all rows of a customer
-- for a page of ten. Without it the view still shows one customer's rows.
ALTER VIEW ledger_bound.usage_event RESET (security_barrier);
ALTER VIEW ledger_bound.event_text RESET (security_barrier);
