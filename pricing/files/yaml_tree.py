"""YAML text as a tree of nodes, with everything refused that a price list has no use for.

Nodes and not objects, for two reasons: every scalar is still the text that stands in the file, so
that no price passes through a float, and every problem can name its line.
"""

from collections.abc import Collection, Iterator

import yaml

from pricing.files.problems import Problems, line_of, shown

FILE_BYTES_MAX = 4 * 1024 * 1024
# A rate table needs four levels. The composer is recursive, so the bound also guards the stack.
NESTING_MAX = 10

_NULL_TAG = "tag:yaml.org,2002:null"


def read_tree(text: str, file: str) -> yaml.MappingNode:
    """Turn YAML text into the mapping at its root.

    Raises:
        RateFileError: The text is not one YAML document with a mapping at its root, is too large
            or too deep, or uses aliases, anchors or tags.
    """
    problems = Problems(file)
    _check_size(text, problems)
    try:
        for line, message in _structure_problems(text):
            problems.add(line, message)
        problems.raise_if_any()
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.reader.ReaderError as error:
        # The C reader counts bytes, and gives no line.
        line = text.encode()[: error.position].count(b"\n") + 1
        problems.add(line, f"not readable as YAML: {error.reason}")
        raise problems.failure() from error
    except yaml.MarkedYAMLError as error:
        line = getattr(error.problem_mark, "line", 0) + 1
        problems.add(line, f"not readable as YAML: {error.problem}")
        raise problems.failure() from error
    if not isinstance(root, yaml.MappingNode):
        problems.add(1, "a rate table must be a mapping that begins with the provider")
        raise problems.failure()
    return root


def read_entries(
    mapping: yaml.MappingNode,
    what: str,
    problems: Problems,
    *,
    known: Collection[str] | None = None,
) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    """Read the key and value nodes of a mapping by the text of the key.

    A key that is not text, stands twice, or is not one of `known` is noted and left out.
    """
    entries: dict[str, tuple[yaml.Node, yaml.Node]] = {}
    for key, value in mapping.value:
        if not isinstance(key, yaml.ScalarNode):
            problems.add(line_of(key), f"{what}: a key must be text")
        elif known is not None and key.value not in known:
            message = f"{what}: unknown key {shown(key.value)}; known are {', '.join(known)}"
            problems.add(line_of(key), message)
        elif key.value in entries:
            first = line_of(entries[key.value][0])
            message = f"{what}: the key {shown(key.value)} stands twice, first on line {first}"
            problems.add(line_of(key), message)
        else:
            entries[key.value] = (key, value)
    return entries


def read_text(node: yaml.Node) -> str:
    """Read a scalar as the text that stands in the file.

    Raises:
        ValueError: The node is a list or a mapping, or stands for nothing.
    """
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError("must be text, not a list or a mapping")  # noqa: TRY004 - in the file
    if node.tag == _NULL_TAG:
        raise ValueError("must not be empty")
    return str(node.value)


def _check_size(text: str, problems: Problems) -> None:
    """Refuse text that is too large or that no file could hold."""
    try:
        size_bytes = len(text.encode())
    except UnicodeEncodeError as error:
        problems.add(text.count("\n", 0, error.start) + 1, "not readable as UTF-8 text")
    else:
        if size_bytes > FILE_BYTES_MAX:
            problems.add(1, f"the file has {size_bytes} bytes; at most {FILE_BYTES_MAX} are read")
    problems.raise_if_any()


def _structure_problems(text: str) -> Iterator[tuple[int, str]]:
    """Find what a price list has no use for, event by event, so that nothing is expanded."""
    documents = 0
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = line_of(event)
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents == 2:  # noqa: PLR2004 - one is right, and more are noted once
                yield line, "a second document begins; one file is one rate table"
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.NodeEvent):
            yield from _node_problems(event)
            depth += isinstance(event, yaml.CollectionStartEvent)
            if depth > NESTING_MAX:
                yield line, f"nested deeper than {NESTING_MAX} levels"
                return
    if documents == 0:
        yield 1, "the file is empty"


def _node_problems(event: yaml.NodeEvent) -> Iterator[tuple[int, str]]:
    """Refuse references, which can grow without bound, and tags, which change what text means."""
    if isinstance(event, yaml.AliasEvent):
        yield (
            line_of(event),
            f"the alias {shown(str(event.anchor))} is refused; write the value out",
        )
    elif event.anchor is not None:
        yield line_of(event), f"the anchor {shown(event.anchor)} is refused; write the value out"
    if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
        yield line_of(event), f"the tag {shown(event.tag)} is refused; quote text to make it text"
