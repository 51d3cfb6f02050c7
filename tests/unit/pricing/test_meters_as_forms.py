"""A meter stated as an object is read whole, or every fault is named with its field."""

from typing import Any

import pytest

from pricing.meters.faults import MeterFault
from pricing.meters.forms import in_our_words, read_meter_form
from pricing.meters.meter import Meter, percentage_meter
from pricing.meters.tiers import TIERS_MAX, MeterTier

TIERS = [{"start": "0", "rate": "5.00"}, {"start": 1_000_000, "rate": "3.00"}]
GRADUATED = {"kind": "graduated", "unit": "tokens_1m", "tiers": TIERS}
PACKAGE = {**GRADUATED, "kind": "package", "package_size": 1_000}


def faults_of(form: dict[str, Any], slug: str = "pro") -> list[tuple[str, str, str]]:
    """Give every fault of a form as field, code and detail."""
    read = read_meter_form(slug, form)
    assert isinstance(read, list)
    return [(fault.field, fault.code, fault.detail) for fault in read]


def fault_of(form: dict[str, Any]) -> tuple[str, str, str]:
    """Give the only fault of a form."""
    [fault] = faults_of(form)
    return fault


def with_tiers(*tiers: object, **terms: object) -> dict[str, Any]:
    """Make a form with other tiers."""
    return {**GRADUATED, "tiers": list(tiers), **terms}


@pytest.mark.parametrize(
    ("form", "meter"),
    [
        ({"kind": "none"}, Meter("pro", 1, "none")),
        ({"kind": "none", "percentage": None, "tiers": None}, Meter("pro", 1, "none")),
        ({"kind": "percentage", "percentage": "12.5"}, percentage_meter("pro", 1, "12.5")),
        (
            {"kind": "fixed", "unit": "requests", "rate": "0.01"},
            Meter("pro", 1, "fixed", unit="requests", rate="0.01"),
        ),
        (
            GRADUATED,
            Meter(
                *("pro", 1, "graduated"),
                unit="tokens_1m",
                tiers=(MeterTier(0, "5.00"), MeterTier(1_000_000, "3.00")),
                period="month",
            ),
        ),
        (
            {**PACKAGE, "package_size": "1000", "period": "lifetime"},
            Meter(
                *("pro", 1, "package"),
                unit="tokens_1m",
                tiers=(MeterTier(0, "5.00"), MeterTier(1_000_000, "3.00")),
                package_size=1_000,
                period="lifetime",
            ),
        ),
        (
            with_tiers(
                {"start": 0, "rate": "1", "end": "7"}, {"start": 7, "rate": "2"}, kind="volume"
            ),
            Meter(
                *("pro", 1, "volume"),
                unit="tokens_1m",
                tiers=(MeterTier(0, "1"), MeterTier(7, "2")),
                period="month",
            ),
        ),
    ],
)
def test_a_good_form_becomes_version_1(form: dict[str, Any], meter: Meter) -> None:
    """Every kind is read; digits may be text, an end may repeat the next start, None says nothing."""
    assert read_meter_form("pro", form) == meter


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({}, ("kind", "missing", "the kind is missing: use none, percentage, fixed, graduated")),
        ({"kind": "tiers"}, ("kind", "unknown_value", "'tiers' is not a kind of meter: use none")),
        ({"kind": 1}, ("kind", "unknown_value", "what stands there is not a kind of meter: use")),
        ({"kind": ["none"]}, ("kind", "unknown_value", "what stands there is not a kind of meter")),
        (
            {"kind": "percentage"},
            ("percentage", "missing", "a meter of kind percentage must state its percentage"),
        ),
        (
            {"kind": "percentage", "percentage": 12},
            (
                "percentage",
                "invalid_percentage",
                'the percentage must be quoted text, such as "12.5"',
            ),
        ),
        (
            {"kind": "percentage", "percentage": "-1"},
            ("percentage", "invalid_percentage", "'-1' is not a percentage"),
        ),
        (
            {"kind": "none", "rate": "1"},
            ("rate", "unknown_field", "a meter of kind none has no 'rate'; it has kind"),
        ),
        (
            {"kind": "fixed", "unit": "requests"},
            ("rate", "missing", "a meter of kind fixed must state its rate"),
        ),
        (
            {"kind": "fixed", "unit": "tokens", "rate": "1"},
            (
                "unit",
                "unknown_value",
                "'tokens' is not a unit: use tokens_1m, characters_1m, minutes",
            ),
        ),
        (
            {"kind": "fixed", "unit": "requests", "rate": 0},
            ("rate", "invalid_rate", 'the rate must be quoted text, such as "5.00"'),
        ),
        (
            {"kind": "fixed", "unit": "requests", "rate": "9" * 40},
            ("rate", "invalid_rate", f"the rate '{'9' * 40}' is more than an amount can hold"),
        ),
        (
            {**GRADUATED, "period": "day"},
            ("period", "unknown_value", "'day' is not a period: use month"),
        ),
        (
            {**PACKAGE, "package_size": None},
            ("package_size", "missing", "a meter of kind package must state its package_size"),
        ),
        (
            {**PACKAGE, "package_size": True},
            (
                "package_size",
                "invalid_package_size",
                "a package size must be a whole number from 1",
            ),
        ),
        (
            {**PACKAGE, "package_size": 300_000},
            (
                "tiers[1].start",
                "invalid_start",
                "1000000 is not a multiple of the package size 300000",
            ),
        ),
        (
            {**GRADUATED, "tiers": None},
            ("tiers", "missing", "a meter of kind graduated must state its"),
        ),
        (
            with_tiers(),
            ("tiers", "invalid_tiers", "must be a list of 1 to 100 tiers such as {start: 0"),
        ),
        (
            {**GRADUATED, "tiers": "0"},
            ("tiers", "invalid_tiers", "must be a list of 1 to 100 tiers"),
        ),
        (
            with_tiers(*[TIERS[0]] * (TIERS_MAX + 1)),
            ("tiers", "invalid_tiers", "must be a list of 1 to 100 tiers"),
        ),
        (
            with_tiers("5.00"),
            ("tiers[0]", "wrong_type", "a tier must be a mapping such as {start: 0"),
        ),
        (with_tiers({"rate": "1"}), ("tiers[0].start", "missing", "a tier must state its start")),
        (with_tiers({"start": 0}), ("tiers[0].rate", "missing", "a tier must state its rate")),
        (
            with_tiers({"start": 0, "rate": "1", "price": "1"}),
            ("tiers[0].price", "unknown_field", "a tier has no 'price'; it has start, rate, end"),
        ),
        (
            with_tiers({"start": 0, "rate": "-1"}),
            ("tiers[0].rate", "invalid_rate", "the rate '-1' is negative"),
        ),
        (
            with_tiers({"start": 1, "rate": "1"}),
            ("tiers[0].start", "invalid_start", "the first tier must start at 0, not at 1"),
        ),
        (
            with_tiers(*TIERS, {"start": 1_000_000, "rate": "1"}),
            ("tiers[2].start", "invalid_start", "starts must ascend: 1000000 is not above 1000000"),
        ),
        (
            with_tiers({"start": 0, "rate": "1", "end": 9}, {"start": 8, "rate": "1"}),
            ("tiers[0].end", "invalid_end", "the end 9 overlaps the next tier, which starts at 8"),
        ),
        (
            with_tiers({"start": 0, "rate": "1", "end": 7}, {"start": 8, "rate": "1"}),
            (
                "tiers[0].end",
                "invalid_end",
                "the end 7 leaves a gap before the next tier, which starts",
            ),
        ),
        (
            with_tiers({"start": 0, "rate": "1", "end": 7}),
            ("tiers[0].end", "invalid_end", "the last tier is open: leave its end out"),
        ),
    ],
)
def test_a_fault_names_its_field(form: dict[str, Any], fault: tuple[str, str, str]) -> None:
    """Each rule by itself: where, a code for programs, and what would be right."""
    field, code, detail = fault_of(form)
    assert (field, code) == fault[:2]
    assert detail.startswith(fault[2])


@pytest.mark.parametrize(
    "start", [-1, 10**15 + 1, True, "", "-1", "01", "1.0", "1e3", " 1", "٣", "9" * 17, [], 0.0]
)
def test_a_start_is_a_whole_number(start: object) -> None:
    """Digits only, within bounds; what cannot be read is not also compared with its neighbours."""
    form = with_tiers(TIERS[0], {"start": start, "rate": "1"}, {"start": 5, "rate": "1"})
    rule = "a start must be a whole number from 0 to 1000000000000000"
    assert fault_of(form) == ("tiers[1].start", "invalid_start", rule)


def test_an_end_before_a_start_that_cannot_be_read_is_not_judged() -> None:
    """One mistake is one fault."""
    form = with_tiers({"start": 0, "rate": "1", "end": 9}, {"start": "nine", "rate": "1"})
    assert fault_of(form)[0] == "tiers[1].start"


@pytest.mark.parametrize(
    "slug", ["", "-a", ".a", "_a", "a b", "a/b", "a\n", "ä", "a" * 101, "\ud800", "a\0"]
)
def test_a_slug_is_plain(slug: str) -> None:
    """A slug outside its rule is a fault of its own, shown so that it can be printed."""
    [(field, code, detail)] = faults_of({"kind": "none"}, slug)
    assert (field, code) == ("slug", "invalid_slug")
    assert detail.isprintable()
    assert "is not 1 to 100 letters, digits, dots, dashes or underscores" in detail


@pytest.mark.parametrize("slug", ["a", "0", "a" * 100, "A-1._"])
def test_a_plain_slug_is_kept(slug: str) -> None:
    """The longest and the shortest are allowed."""
    assert read_meter_form(slug, {"kind": "none"}) == Meter(slug, 1, "none")


def test_all_faults_are_named_together() -> None:
    """Nothing hides behind the first fault."""
    form = {
        "kind": "package",
        "unit": "words",
        "package_size": 0,
        "color": 1,
        "tiers": [{"start": 5, "rate": 1}, {"start": 5, "rate": "x"}, 3],
    }
    assert [fault[0] for fault in faults_of(form, "?")] == [
        "slug",
        "color",
        "package_size",
        "unit",
        "tiers[0].rate",
        "tiers[1].rate",
        "tiers[2]",
        "tiers[0].start",
        "tiers[1].start",
    ]


def test_without_a_kind_only_what_no_kind_has_is_refused() -> None:
    """A term that some kind has is not blamed for the kind that is missing."""
    assert [fault[0] for fault in faults_of({"rate": "1", "color": 1})] == ["kind", "color"]


def test_a_key_that_cannot_be_printed_is_escaped() -> None:
    """The name of a field can be answered and logged whatever it was."""
    [fault] = faults_of({"kind": "none", "\ud800\0": 1})
    assert fault[0] == "\\ud800\\x00"
    assert len(MeterFault(("k" * 1_000,), "code", "detail").field) < 100


@pytest.mark.parametrize(
    ("lava", "ours"),
    [
        (
            {
                "rate_type": "percentage",
                "tier_type": "requests",
                "tiers": [{"start": "0", "rate": "10"}],
            },
            {"kind": "percentage", "percentage": "10"},
        ),
        (
            {"rate_type": "fixed", "tier_type": "minutes", "tiers": [{"start": 0, "rate": "0.06"}]},
            {"kind": "fixed", "unit": "minutes", "rate": "0.06"},
        ),
        (
            {"rate_type": "fixed", "tier_type": "tokens_1m", "tiers": TIERS},
            {**GRADUATED, "period": "lifetime"},
        ),
    ],
)
def test_lava_s_words_mean_one_of_our_kinds(lava: dict[str, Any], ours: dict[str, Any]) -> None:
    """One tier is a plain meter; more of them accumulate for ever, as Lava's do."""
    assert in_our_words(lava) == ours
    assert in_our_words({**lava, "name": "Pro"}) == {**ours, "name": "Pro"}
    assert isinstance(read_meter_form("pro", in_our_words(lava)), Meter)


@pytest.mark.parametrize(
    ("lava", "fields"),
    [
        ({"rate_type": "percentage", "tiers": TIERS}, ["tiers", "percentage"]),
        ({"rate_type": "hybrid", "tiers": TIERS}, ["kind"]),
        ({"tier_type": "requests", "tiers": TIERS}, ["kind"]),
        (
            {"rate_type": "fixed", "tier_type": "requests", "tiers": [{"start": 5, "rate": "1"}]},
            ["tiers[0].start"],
        ),
        ({"rate_type": "fixed", "tier_type": "requests"}, ["tiers"]),
    ],
)
def test_what_has_no_counterpart_is_refused(lava: dict[str, Any], fields: list[str]) -> None:
    """Percentages by tiers, other words and tiers that do not begin at 0 are never guessed at."""
    assert [fault[0] for fault in faults_of(in_our_words(lava))] == fields


@pytest.mark.parametrize(
    ("lava", "stated"),
    [
        ({"rate_type": "percentage", "tiers": [{"start": 0, "rate": "5"}]}, {"percentage": "6"}),
        (
            {"rate_type": "fixed", "tier_type": "requests", "tiers": [{"start": 0, "rate": "5"}]},
            {"rate": "6"},
        ),
        (
            {
                "rate_type": "fixed",
                "tier_type": "requests",
                "tiers": [{"start": 0, "rate": "5"}, {"start": 10, "rate": "4"}],
            },
            {"period": "month"},
        ),
    ],
)
def test_what_is_stated_in_both_ways_must_be_the_same(
    lava: dict[str, Any], stated: dict[str, Any]
) -> None:
    """Neither counts in silence; repeating the same in our words is harmless."""
    assert isinstance(read_meter_form("pro", in_our_words(lava)), Meter)
    assert [fault[0] for fault in faults_of(in_our_words(lava | stated))] == ["rate_type"]
    repeated = {name: in_our_words(lava)[name] for name in stated}
    assert in_our_words(lava | repeated) == in_our_words(lava)
