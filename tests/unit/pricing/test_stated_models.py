"""The prices of a model are read in each of their forms, or every fault is shown with its line."""

import pytest

from pricing.files.rate_files import RateFileError, load_rate_table
from pricing.model_rates import STANDARD, Combination, ModelRates, RateTier
from pricing.prices import Rate, RateSet

HEAD = """\
provider: fireworks
version: "1"
effective_from: 2026-05-12T00:00:00Z
currency: USD
models:
  small:
"""
ONE = RateSet({"input_tokens": Rate(10**12, 10**6)})
TWO = RateSet({"input_tokens": Rate(2 * 10**12, 10**6)})


def read(model: str) -> ModelRates:
    """The prices of the model, whose lines begin on line 7."""
    return load_rate_table(HEAD + indented(model), "f.yaml").models["small"]


def problems_of(model: str) -> list[str]:
    """Every problem as `line: message`, without the model's name."""
    with pytest.raises(RateFileError) as caught:
        load_rate_table(HEAD + indented(model), "f.yaml")
    assert all(each.file == "f.yaml" for each in caught.value.problems)
    return [
        f"{each.line}: {each.message.removeprefix(repr('small')).lstrip(': ')}"
        for each in caught.value.problems
    ]


def indented(model: str) -> str:
    return "".join(f"    {line}\n" for line in model.splitlines())


def test_plain_prices_are_those_of_the_usual_call() -> None:
    """One tier that starts at nothing."""
    assert read('input: "1"') == ModelRates({STANDARD: (RateTier(0, ONE),)})


@pytest.mark.parametrize("end", ["", ", end: 200001"])
def test_tiers_start_where_they_say(end: str) -> None:
    """An end may repeat the next start."""
    model = read(f'tiers:\n  - {{start: 0, input: "1"{end}}}\n  - {{start: 200001, input: "2"}}')
    assert model == ModelRates({STANDARD: (RateTier(0, ONE), RateTier(200_001, TWO))})


def test_other_combinations_stand_beside_the_usual_one() -> None:
    """Each whole, with tiers of its own where it has some."""
    model = read(
        'input: "1"\n'
        "variants:\n"
        '  - {when: {batch: true}, input: "2"}\n'
        '  - {when: {service_tier: priority, region: us}, tiers: [{start: 0, input: "2"}]}\n'
        '  - when: {accelerator: h100, batch: "true"}\n'
        "    tiers:\n"
        '      - {start: 0, input: "1"}\n'
        '      - {start: 1, input: "2"}\n'
    )
    assert model.combinations == {
        STANDARD: (RateTier(0, ONE),),
        Combination(is_batch=True): (RateTier(0, TWO),),
        Combination("priority", region="us"): (RateTier(0, TWO),),
        Combination(None, True, None, "h100"): (RateTier(0, ONE), RateTier(1, TWO)),
    }


def test_a_model_may_have_no_prices_for_the_usual_call() -> None:
    """GPU time has one by accelerator alone; called in the usual way it is unrated."""
    model = read('variants:\n  - {when: {accelerator: h100}, gpu: {price: "8.00", per: hour}}')
    assert list(model.combinations) == [Combination(accelerator="h100")]


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        ('input: "1"\ncolour: "1"', "8: unknown key 'colour'; known are input, cached_input,"),
        ('input: "1"\ntiers: [{start: 0, input: "1"}]',
         "7: input must stand inside the tiers, not beside them"),
        ("tiers: {start: 0}", '7: tiers must be a list such as [{start: 0, input: "1.25"},'),
        ("tiers: []", "7: tiers must be a list such as"),
        ("tiers: many", "7: tiers must be a list such as"),
        ("tiers:", "7: tiers must be a list such as"),
        ("tiers: [1]", "7: tiers: must be a mapping"),
        ("tiers: [[0]]", "7: tiers: must be a mapping"),
        ('tiers:\n- {start: 0, input: "1"}\n- {start: 5, output: "1", colour: "1"}',
         "9: tiers: unknown key 'colour'; known are start, end, input,"),
        ('tiers: [{start: 0, input: "1", tiers: []}]', "7: tiers: unknown key 'tiers'"),
        ("tiers:\n- {start: 0}", "8: tiers: has no price"),
        ("tiers:\n- {start: 0, input: 1.5}", "8: tiers input: the price '1.5' must be quoted"),
        ('tiers: [{start: 0, start: 1, input: "1"}]', "7: tiers: the key 'start' stands twice"),
        ('input: "1"\nvariants: {when: {batch: true}}', "8: variants: must be a list such as [{when:"),
        ('input: "1"\nvariants: []', "8: variants: must be a list such as"),
        ('input: "1"\nvariants: batch', "8: variants: must be a list such as"),
        ("variants:", "7: variants: must be a list such as"),
        ("variants: [true]", "7: variants: must be a mapping"),
        ("variants: [[when]]", "7: variants: must be a mapping"),
        ('variants:\n- {input: "1"}', "8: variants: the key when is missing"),
        ("variants:\n- {when: {batch: true}}", "8: variants: has no price"),
        ('variants:\n- {when: {batch: true}, input: "1", variants: []}',
         "8: variants: unknown key 'variants'; known are when, tiers, input,"),
        ('variants:\n- {when: {batch: true}, input: "1"}\n- {when: {batch: true}, output: "1"}',
         "9: variants: the same combination stands twice"),
        (('variants:\n- {when: {region: a, batch: true}, input: "1"}\n'
         '- {when: {batch: true, region: a}, input: "1"}'),
         "9: variants: the same combination stands twice"),
        ('variants: [{when: {batch: true}, when: {region: a}, input: "1"}]',
         "7: variants: the key 'when' stands twice"),
        ('variants: [{when: {batch: true}, input: "1", tiers: [{start: 0, input: "1"}]}]',
         "7: variants: input must stand inside the tiers"),
        ('variants: [{when: {batch: true}, tiers: [{start: 1, input: "1"}]}]',
         "7: variants tiers: the first tier must start at 0, not at 1"),
        ('variants: [{when: {}, input: "1"}]',
         "7: variants when: must state at least one of service_tier, batch, region, accelerator"),
        ('variants: [{when: batch, input: "1"}]', "7: variants when: must be a mapping"),
        ('variants: [{when: [batch], input: "1"}]', "7: variants when: must be a mapping"),
        ('variants: [{when: , input: "1"}]', "7: variants when: must be a mapping"),
        ('variants: [{when: {tier: a, batch: true}, input: "1"}]',
         "7: variants when: unknown key 'tier'; known are service_tier, batch, region, accelerator"),
        ('variants: [{when: {service_tier: standard}, input: "1"}]',
         "7: variants when service_tier: standard is what prices outside variants are for"),
        ('variants: [{when: {service_tier: default}, input: "1"}]',
         "7: variants when service_tier: default is what prices outside variants are for"),
        ('variants: [{when: {service_tier: batch}, input: "1"}]',
         "7: variants when service_tier: write batch: true"),
        ('variants: [{when: {batch: false}, input: "1"}]',
         "7: variants when batch: 'false' is not true; leave it out for calls outside batches"),
        ('variants: [{when: {batch: yes}, input: "1"}]', "7: variants when batch: 'yes' is not true"),
        ('variants: [{when: {batch: }, input: "1"}]', "7: variants when batch: must not be empty"),
        ('variants: [{when: {batch: [true]}, input: "1"}]',
         "7: variants when batch: must be text, not a list or a mapping"),
        ('variants: [{when: {region: ""}, input: "1"}]',
         "7: variants when region: '' is not 1 to 64 characters without NUL"),
        ('variants: [{when: {region: "a\\0"}, input: "1"}]',
         "7: variants when region: 'a\\x00' is not 1 to 64"),
        ("variants: [{when: {accelerator: " + "a" * 65 + '}, input: "1"}]',
         "7: variants when accelerator: 'aaa"),
        ('variants: [{when: {region: {a: b}}, input: "1"}]',
         "7: variants when region: must be text, not a list or a mapping"),
        ('variants: [{when: {service_tier: }, input: "1"}]',
         "7: variants when service_tier: must not be empty"),
        ('variants: [{when: {batch: true}, input: "1.' + "1" * 40 + '"}]',
         "7: variants input: an amount has at most 40 characters"),
    ],
)  # fmt: skip
def test_each_fault_is_shown_with_its_line(model: str, problem: str) -> None:
    """Wrong kinds of node, unknown keys and what contradicts itself, at every level."""
    [first, *others] = problems_of(model)
    assert first.startswith(problem), [first, *others]


def test_all_faults_of_a_model_are_shown_together() -> None:
    """Of its usual prices, its tiers and its variants."""
    found = problems_of(
        'input: "-1"\n'
        "tiers:\n"
        '  - {start: 5, input: "1"}\n'
        "  - {start: 5}\n"
        "variants:\n"
        '  - {when: {batch: false, region: ""}, output: 1}\n'
        "  - 7\n"
    )
    lines = [int(each.split(":")[0]) for each in found]
    assert lines == [7, 9, 10, 10, 12, 12, 12, 13, 13, 13]


def test_two_faulty_combinations_are_not_called_the_same() -> None:
    """What could not be read is told once, not compared."""
    found = problems_of(
        'variants:\n- {when: {batch: no}, input: "1"}\n- {when: {batch: no}, input: "1"}'
    )
    assert len(found) == 2
    assert not any("twice" in each for each in found)
