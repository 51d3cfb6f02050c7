"""/metrics, docs/monitoring.md, the dashboard and the alert rules speak of the same metrics."""

import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.api.doors import record

DOCS = Path(__file__).parents[2] / "docs"
# Metric, labels, meaning, what to do.
LINES = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (DOCS / "monitoring.md").read_text().splitlines()
    if line.startswith("| `ledger_")
]
DOCUMENTED = {name.strip("`"): set(re.findall(r"`(\w+)`", labels)) for name, labels, *_ in LINES}
DASHBOARD = json.loads((DOCS / "monitoring" / "dashboard.json").read_text())
RULES = [
    rule
    for group in yaml.safe_load((DOCS / "monitoring" / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
TARGETS = [target for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
EXPRESSIONS = [*(rule["expr"] for rule in RULES), *(target["expr"] for target in TARGETS)]
OF_PROMETHEUS = {"job", "instance", "le"}
NAME = re.compile(r"\b(?:ledger|process)_\w+")


async def test_the_page_explains_each_metric_and_none_besides(api: httpx.AsyncClient) -> None:
    """With the labels that it has; help and unit are there as well."""
    await api.post("/v1/requests", json=record("a", "acme"))
    await api.post("/v1/requests", json=record("faulty", "acme", input_tokens=-1))
    families = list(text_string_to_metric_families((await api.get("/metrics")).text))
    shown = {_full_name(family): family for family in families if family.name.startswith("ledger_")}

    assert sorted(shown) == sorted(DOCUMENTED)
    assert len(LINES) == len(DOCUMENTED), "a metric stands on the page twice"
    for name, family in shown.items():
        assert family.documentation.endswith("."), name
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == DOCUMENTED[name], name


def _full_name(family: Any) -> str:
    """A counter's name has an end that the parser takes off."""
    return f"{family.name}_total" if family.type == "counter" else str(family.name)


def test_names_say_their_units() -> None:
    """Base units only: seconds, bytes; a counter ends in `_total` and what is no counter does not."""
    for name in DOCUMENTED:
        assert not re.search(r"_(ms|millis\w*|minutes|hours|kb|mb|mib|percent)(_|$)", name), name
        if re.search("timestamp|lag|offset|_time", name):
            assert name.endswith("_seconds"), name


def test_the_dashboard_shows_every_metric() -> None:
    """Each on some panel; a panel without a question shows nothing."""
    asked = set(chain.from_iterable(map(_metrics_in, (each["expr"] for each in TARGETS))))
    assert asked >= set(DOCUMENTED)
    for panel in DASHBOARD["panels"]:
        assert panel["title"]
        assert (panel["type"] == "row") != bool(panel.get("targets"))


def test_panels_stand_in_the_grid_side_by_side() -> None:
    """Of 24 columns, none on another; each with an id of its own, all from the chosen data source."""
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert max(x for x, _ in cells) < 24, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    sources = {target["datasource"]["uid"] for target in TARGETS}
    variables = {each["name"] for each in DASHBOARD["templating"]["list"]}
    assert (sources, variables) == ({"${datasource}"}, {"datasource", "job", "instance"})


def test_expressions_are_well_formed_and_ask_for_what_there_is() -> None:
    """Brackets and quotes are closed, metrics are known, and their labels too."""
    for expression in EXPRESSIONS:
        assert _is_closed(expression), expression
        metrics = set(_metrics_in(expression))
        assert metrics or expression.startswith("up{")
        assert {each for each in metrics if each.startswith("ledger_")} <= DOCUMENTED.keys()
        assert set(_labels_in(expression)) <= _all_labels(expression), expression


def test_legends_name_labels_that_the_answer_has() -> None:
    """What a sum has left of them."""
    for target in TARGETS:
        words = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
        grouped = re.findall(r" by \(([\w, ]+)\)", target["expr"])
        left = set(grouped[0].split(", ")) if grouped else _all_labels(target["expr"])
        assert words <= left, target["expr"]


def test_what_is_malformed_is_noticed() -> None:
    """By the small reader of expressions above."""
    assert _is_closed('sum by (a) (rate(x{b="("}[5m]))')
    for expression in ("sum(x", "sum x)", 'x{a="b}', "rate(x[5m)]"):
        assert not _is_closed(expression)
    assert list(_labels_in('x{a="1",b=~"c=d"} / sum without (e, f) (y)')) == ["a", "b", "e", "f"]


def test_rules_say_how_bad_it_is_and_what_to_do() -> None:
    """Each under a name of its own; the labels in their words exist."""
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    for rule in RULES:
        assert rule["labels"]["severity"] in ("critical", "warning"), rule["alert"]
        assert all(rule["annotations"][part] for part in ("summary", "description"))
        words = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        assert words <= _all_labels(rule["expr"])


def _metrics_in(expression: str) -> Iterator[str]:
    """The families of an expression; those of a histogram are asked for by their parts."""
    for name in NAME.findall(re.sub('"[^"]*"', "", expression)):
        family = re.sub("_(bucket|sum|count)$", "", name)
        yield family if family in DOCUMENTED else name


def _labels_in(expression: str) -> Iterator[str]:
    """The labels that are matched, and those that are summed by or without."""
    for matchers in re.findall(r"{(.*?)}", expression):
        yield from re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub('"[^"]*"', '""', matchers))
    for names in re.findall(r"(?:by|without) \(([\w, ]*)\)", expression):
        yield from names.split(", ")


def _all_labels(expression: str) -> set[str]:
    return OF_PROMETHEUS.union(*(DOCUMENTED.get(each, set()) for each in _metrics_in(expression)))


def _is_closed(expression: str) -> bool:
    """Whether every bracket and every quote ends where it should."""
    closing = {"(": ")", "[": "]", "{": "}"}
    expected = [""]
    for character in re.sub('"[^"]*"', "", expression):
        if character == '"' or (character in closing.values() and character != expected.pop()):
            return False
        if character in closing:
            expected.append(closing[character])
    return expected == [""]
