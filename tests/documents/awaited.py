"""Pages and commands that are named already and come with the next changes; empty once they are here."""

PAGES = frozenset(
    f"docs/{name}.md"
    for name in ("backup", "command-line", "containers", "faults", "logs", "monitoring", "moving")
)
COMMANDS = frozenset({"dump", "load"})
