"""What a bench found out, as a table or as one JSON document; its progress, on stderr."""

import os
import platform
from collections.abc import Sequence
from typing import Any

import msgspec

from ledger.cli.running import print_json, print_table, remark


def show(
    name: str,
    kind: type[msgspec.Struct],
    points: Sequence[msgspec.Struct],
    *,
    as_json: bool,
    **more: Any,
) -> None:
    """Print points of one kind; what else there is stands in the JSON alone."""
    if as_json:
        print_json({"bench": name, **_machine(), **more, "points": points})
        return
    headings = {field: field.replace("_", " ") for field in kind.__struct_fields__}
    print_table(name, headings, [msgspec.to_builtins(point) for point in points])


def tell(text: str) -> None:
    """Say how far a bench is."""
    remark(f"bench: {text}")


def in_order(wanted: Sequence[int]) -> list[int]:
    """Sizes from the smallest on, each once: what the others are compared with comes first."""
    return sorted(set(wanted))


def _machine() -> dict[str, object]:
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
    }
