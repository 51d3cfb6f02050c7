"""A meter file is read exactly, or every problem is shown with its line."""

import pytest

from pricing.files.problems import RateFileError
from pricing.meters.files import load_meters
from pricing.meters.meter import Meter, percentage_meter
from pricing.meters.tiers import MeterTier

GOOD = """\
currency: USD
meters:
  pro:
    kind: graduated
    unit: tokens_1m
    period: month
    tiers:
      - {start: 0, rate: "5.00", end: 1000000}
      - {start: "1000000", rate: '3.00'}
  support: {kind: percentage, percentage: "12.5"}
  per-call: {kind: fixed, unit: requests, rate: "0.01"}
  blocks:
    kind: "package"
    unit: minutes
    package_size: 60
    tiers:
    - start: 0
      rate: "0"
    - start: 3600
      rate: "0.05"
"""
OPEN_END = "the last tier is open: leave its end out, or add the tier that starts there"
SLUG_RULE = "1 to 100 letters, digits, dots, dashes or underscores, a letter or digit first"


def problems_of(text: str, currency: str = "USD") -> list[str]:
    """Give every problem of a text as `line: message`."""
    with pytest.raises(RateFileError) as caught:
        load_meters(text, "m.yaml", currency=currency)
    problems = caught.value.problems
    assert all(str(each) == f"m.yaml:{each.line}: {each.message}" for each in problems)
    return [f"{problem.line}: {problem.message}" for problem in problems]


def problem_of(terms: str) -> str:
    """Give the only problem of a file with one meter that is written on line 3."""
    [problem] = problems_of(f"currency: USD\nmeters:\n  pro: {terms}\n")
    assert problem.startswith("3: 'pro'")
    return problem.removeprefix("3: 'pro'").strip()


def tiers_problem_of(*tiers: str, kind: str = "graduated, unit: requests") -> str:
    """Give the only problem of a meter with these tiers, the first of them on line 3."""
    head = f"currency: USD\nmeters: {{pro: {{kind: {kind}, tiers: [\n"
    [problem] = problems_of(head + ",\n".join(tiers) + "]}}\n")
    return problem.replace("'pro' ", "")


def test_a_good_file_becomes_meters_in_its_order() -> None:
    """Every form of writing a meter, each as version 1."""
    assert load_meters(GOOD, "m.yaml") == [
        Meter(
            *("pro", 1, "graduated"),
            unit="tokens_1m",
            tiers=(MeterTier(0, "5.00"), MeterTier(1_000_000, "3.00")),
            period="month",
        ),
        percentage_meter("support", 1, "12.5"),
        Meter("per-call", 1, "fixed", unit="requests", rate="0.01"),
        Meter(
            *("blocks", 1, "package"),
            unit="minutes",
            tiers=(MeterTier(0, "0"), MeterTier(3_600, "0.05")),
            package_size=60,
            period="month",
        ),
    ]


def test_the_currency_is_the_ledger_s() -> None:
    """A ledger in euro takes euro and nothing else."""
    text = GOOD.replace("USD", "EUR")
    assert len(load_meters(text, "m.yaml", currency="EUR")) == 4
    assert problems_of(text) == ["1: currency: 'EUR' is not USD, the ledger's currency"]


@pytest.mark.parametrize(
    ("terms", "problem"),
    [
        ("{kind: hybrid}", "kind: 'hybrid' is not a kind of meter: use none, percentage, fixed"),
        ("{kind: yes}", "kind: what stands there is not a kind of meter: use none"),
        ("{kind: 1}", "kind: what stands there is not a kind of meter: use none"),
        ("{}", "kind: the kind is missing: use none, percentage"),
        ("{kind: none, rate: '1'}", "rate: a meter of kind none has no 'rate'; it has kind"),
        ("{kind: none, <<: {}}", "<<: a meter of kind none has no '<<'"),
        ("{kind: none, kind: none}", ": the key 'kind' stands twice, first on line 3"),
        ("{kind: none, [a]: 1}", ": a key must be text"),
        ("{kind: percentage, percentage: 10}", "percentage: the percentage must be quoted text"),
        ("{kind: percentage, percentage: '1001'}", "percentage: '1001' is not a percentage"),
        ("{kind: percentage}", "percentage: a meter of kind percentage must state its percentage"),
        ("{kind: fixed, unit: words, rate: '1'}", "unit: 'words' is not a unit: use tokens_1m"),
        ("{kind: fixed, unit: requests, rate: 1}", "rate: the rate must be quoted text"),
        ("{kind: fixed, unit: requests, rate: 1.5}", "rate: the rate must be quoted text"),
        ("{kind: fixed, unit: requests, rate: 08}", "rate: the rate must be quoted text"),
        ("{kind: fixed, unit: requests, rate: .nan}", "rate: the rate must be quoted text"),
        ("{kind: fixed, unit: requests, rate: }", "rate: the rate must be quoted text"),
        ("{kind: fixed, unit: requests, rate: [a]}", "rate: the rate must be quoted text"),
        ("{kind: fixed, unit: requests, rate: free}", "rate: 'free' is not a plain decimal"),
        ("{kind: fixed, unit: requests, rate: '1e3'}", "rate: '1e3' is not a plain decimal"),
        ("{kind: fixed, unit: requests, rate: '-1'}", "rate: the rate '-1' is negative"),
        (
            f"{{kind: fixed, unit: requests, rate: '{'1' * 40}'}}",
            f"rate: the rate '{'1' * 40}' is more than an amount can hold",
        ),
        (
            "{kind: volume, unit: requests, period: year, tiers: [{start: 0, rate: '1'}]}",
            "period: 'year' is not a period: use month, lifetime",
        ),
        (
            "{kind: volume, unit: requests, period: ~, tiers: [{start: 0, rate: '1'}]}",
            "period: what stands there is not a period: use month, lifetime",
        ),
        ("{kind: volume, unit: requests}", "tiers: a meter of kind volume must state its tiers"),
        ("{kind: volume, unit: requests, tiers: []}", "tiers: must be a list of 1 to 100 tiers"),
        ("{kind: volume, unit: requests, tiers: {}}", "tiers: must be a list of 1 to 100 tiers"),
        ("graduated", ": must be a mapping that begins with the kind"),
    ],
)
def test_a_bad_term_is_refused_on_its_line(terms: str, problem: str) -> None:
    """What the kind does not have, what it lacks, and every value outside its rule."""
    assert problem_of(terms).startswith(problem)


@pytest.mark.parametrize(
    ("tiers", "problem"),
    [
        (
            ["{start: 1, rate: '1'}"],
            "3: tiers[0].start: the first tier must start at 0, not at 1",
        ),
        (
            ["{start: 0, rate: '1'}", "{start: 0, rate: '2'}"],
            "4: tiers[1].start: starts must ascend: 0 is not above 0, so tiers overlap",
        ),
        (
            ["{start: 0, rate: '1'}", "{start: 9, rate: '2'}", "{start: 8, rate: '2'}"],
            "5: tiers[2].start: starts must ascend: 8 is not above 9, so tiers overlap",
        ),
        (
            ["{start: 0, rate: '1'}", "{start: 5, end: 9, rate: '2'}", "{start: 8, rate: '2'}"],
            "4: tiers[1].end: the end 9 overlaps the next tier, which starts at 8",
        ),
        (
            ["{start: 0, end: 4, rate: '1'}", "{start: 5, rate: '2'}"],
            "3: tiers[0].end: the end 4 leaves a gap before the next tier, which starts at 5",
        ),
        (
            ["{start: 0, rate: '1'}", "{start: 5, end: 7, rate: '2'}"],
            "4: tiers[1].end: " + OPEN_END,
        ),
        (
            ["{start: 0, rate: '1'}", "{start: 1_000, rate: '2'}"],
            "4: tiers[1].start: a start must be a whole number from 0 to 1000000000000000",
        ),
        (
            ["{start: 0, rate: '1'}", f"{{start: {'9' * 5_000}, rate: '2'}}"],
            "4: tiers[1].start: a start must be a whole number from 0 to 1000000000000000",
        ),
        (
            ["{start: 0, rate: '1'}", "{start: 5}"],
            "4: tiers[1].rate: a tier must state its rate",
        ),
        (
            ["{start: 0, rate: '1'}", "{start: 5, rate: '1', start: 6}"],
            "4: 'pro': the key 'start' stands twice, first on line 4",
        ),
        (
            ["{start: 0, rate: '1'}", "5"],
            '4: tiers[1]: a tier must be a mapping such as {start: 0, rate: "5.00"}',
        ),
    ],
)
def test_bad_tiers_are_refused_on_their_line(tiers: list[str], problem: str) -> None:
    """Overlaps, gaps, a lowest tier above 0, and what is no tier at all."""
    assert tiers_problem_of(*tiers) == problem


def test_a_package_begins_no_tier_in_its_middle() -> None:
    """Every start is a multiple of the size, or is refused on its line."""
    problem = tiers_problem_of(
        "{start: 0, rate: '1'}",
        "{start: 15, rate: '2'}",
        kind="package, unit: requests, package_size: 10",
    )
    assert problem == "4: tiers[1].start: 15 is not a multiple of the package size 10"


def test_a_problem_of_a_block_stands_where_its_key_does() -> None:
    """Lines are those of the key, of the item, and of the meter for what is missing."""
    text = GOOD.replace("    unit: tokens_1m\n", "").replace('"0"', "0").replace("60", "0")
    assert problems_of(text) == [
        "3: 'pro' unit: a meter of kind graduated must state its unit",
        "14: 'blocks' package_size: a package size must be a whole number from 1 to 1000000000000000",
        "17: 'blocks' tiers[0].rate: the rate must be quoted text, such as \"5.00\"",
    ]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("meters: {a: {kind: none}}", ["1: meter file: the key currency is missing"]),
        ("currency: USD", ["1: meter file: the key meters is missing"]),
        (
            "currency: [USD]\nmeters: {a: {kind: none}}",
            ["1: currency: must be text, not a list or a mapping"],
        ),
        ("currency: USD\nmeters: {}", ["2: meters: must be a mapping with at least one meter"]),
        ("currency: USD\nmeters: [a]", ["2: meters: must be a mapping with at least one meter"]),
        (
            "currency: USD\nmetres: {}\nmeters: {a: {kind: none}}",
            ["2: meter file: unknown key 'metres'; known are currency, meters"],
        ),
        (
            "currency: USD\nmeters:\n  a: {kind: none}\n  a: {kind: none}",
            ["4: meters: the key 'a' stands twice, first on line 3"],
        ),
        (
            "currency: USD\nmeters:\n  -a: {kind: none}",
            [
                "3: '-a' slug: '-a' is not " + SLUG_RULE,
            ],
        ),
        (
            "currency: USD\nmeters:\n  a: &a {kind: none}\n  b: *a",
            [
                "3: the anchor 'a' is refused; write the value out",
                "4: the alias 'a' is refused; write the value out",
            ],
        ),
    ],
)
def test_a_file_outside_the_rules_is_refused(text: str, problems: list[str]) -> None:
    """The head, the list of meters, their names, and what YAML could hide."""
    assert problems_of(text) == problems


def test_all_problems_are_shown_together() -> None:
    """Several meters, several lines, in the order of the file."""
    text = """\
currency: EUR
meters:
  a: {kind: none, x: 1}
  b: {kind: percentage, percentage: 5}
  c:
    kind: graduated
    unit: requests
    tiers:
      - {start: 0, rate: 5}
      - {start: 0, rate: "-5"}
"""
    assert [problem.split(":")[0] for problem in problems_of(text)] == [
        "1",
        "3",
        "4",
        "9",
        "10",
        "10",
    ]
