"""The rate tables that come with the package."""

from importlib.resources import files


def shipped_rate_files() -> list[tuple[str, str]]:
    """Read every packaged rate file: its name such as `fireworks/2025-01-01.yaml` and its text.

    Sorted by name. This is the package's only read of anything outside its arguments.
    """
    return sorted(
        (f"{folder.name}/{file.name}", file.read_text(encoding="utf-8"))
        for folder in files("pricing").joinpath("rates").iterdir()
        for file in folder.iterdir()
    )
