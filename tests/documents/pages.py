"""The documents as a reader meets them: pages, their blocks, and the commands in these.

A block of commands begins with a program's name, or with `$ ` where the answer is shown as well:

    ledger rebuild rollup_hour              $ ledger spend --from 2026-10-01 --to 2026-11-01
    ledger verify                           spend  ...
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROMPT = "$ "
_PROGRAM = re.compile(
    r"(\w+=\S+ )*(scripts/\S+|ledger|curl|export|cat|cd|cp|docker|echo|eval|git|kill|mkdir|pip|pg_\w+|psql"
    r"|python|rm|sha256sum|sudo|systemctl|tar)( |$)"
)
_INDENT = "    "
_FENCE = "```"


@dataclass(frozen=True)
class Block:
    """Lines of code in a page, without their indentation; `line` is the number of the first."""

    line: int
    text: str


@dataclass(frozen=True)
class Command:
    """A command that a page tells its reader to type; `answer` is "" where none is shown."""

    page: str
    line: int
    text: str
    answer: str


def pages() -> list[Path]:
    """Every document, README first."""
    return [
        ROOT / "README.md",
        *sorted(ROOT.glob("[!R]*.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
    ]


def name_of(page: Path) -> str:
    """A page as links and lists name it: `docs/spend.md`."""
    return page.relative_to(ROOT).as_posix()


def blocks(text: str) -> Iterator[Block]:
    """Fenced and indented blocks. Blank lines inside an indented block belong to it."""
    open_block: list[str] = []
    begins = 0
    is_fenced = False
    for number, line in enumerate([*text.splitlines(), "the end"], 1):
        fence = line.startswith(_FENCE)
        inside = is_fenced if not fence else False
        inside = inside or (not is_fenced and (line.startswith(_INDENT) or not line) and not fence)
        if inside and (open_block or line):
            begins = begins if open_block else number
            open_block.append(line if is_fenced else line.removeprefix(_INDENT))
        elif open_block:
            yield Block(begins, "\n".join(open_block).rstrip())
            open_block = []
        is_fenced ^= fence


def commands(page: Path) -> list[Command]:
    """What a page tells to type, in its order."""
    found = []
    for block in blocks(page.read_text()):
        parse = _with_answers if re.search(r"^\$ ", block.text, re.MULTILINE) else _without
        found += [Command(name_of(page), *each) for each in parse(block)]
    return found


def prose(text: str) -> str:
    """A page without its blocks of code."""
    lines = text.splitlines()
    for block in blocks(text):
        for number in range(block.line, block.line + block.text.count("\n") + 1):
            lines[number - 1] = ""
    return "\n".join(lines)


def _with_answers(block: Block) -> Iterator[tuple[int, str, str]]:
    lines = block.text.splitlines()
    prompts = [at for at, line in enumerate(lines) if line.startswith(PROMPT)]
    for at, following in zip(prompts, [*prompts[1:], len(lines)], strict=True):
        typed = _typed(lines[at:following])
        text = "\n".join(lines[at : at + typed]).removeprefix(PROMPT)
        answer = "\n".join(lines[at + typed : following]).strip("\n")
        yield block.line + at, text, answer


def _without(block: Block) -> Iterator[tuple[int, str, str]]:
    numbered = enumerate(block.text.splitlines(), block.line)
    for is_text, group in groupby(numbered, key=lambda each: bool(each[1])):
        lines = list(group)
        if not is_text or not _PROGRAM.match(lines[0][1]):
            continue
        while lines:
            typed = _typed([line for _, line in lines])
            yield lines[0][0], "\n".join(line for _, line in lines[:typed]), ""
            lines = lines[typed:]


def _typed(lines: list[str]) -> int:
    """How many lines the first command has: up to one that ends neither in a backslash nor within quotes."""
    for count in range(1, len(lines) + 1):
        text = "\n".join(re.sub(r"\s#.*", "", line) for line in lines[:count])
        if not text.endswith("\\") and text.count("'") % 2 == 0:
            return count
    return len(lines)
