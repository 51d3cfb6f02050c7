"""Whoever follows a link arrives, and every page can be found."""

import re
from pathlib import Path

import pytest

from tests.documents.pages import ROOT, name_of, pages, prose

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """To a file of the repository, and to a heading of it where one is named."""
    for target in links(page):
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), f"{name_of(page)}: no {target}"
        assert not anchor or anchor in anchors(there), f"{name_of(page)}: no heading {target}"


def test_the_readme_links_every_page() -> None:
    """What the README does not name is read by nobody."""
    linked = {target.partition("#")[0] for target in links(ROOT / "README.md")}
    written = {name_of(page) for page in pages()} - {"README.md"}
    assert written <= linked


def links(page: Path) -> list[str]:
    """Where a page links to, within the repository."""
    return [to for to in _LINK.findall(prose(page.read_text())) if not re.match(r"[a-z]+:", to)]


def anchors(page: Path) -> set[str]:
    """The headings of a page, as addresses name them."""
    headings = _HEADING.findall(prose(page.read_text()))
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
