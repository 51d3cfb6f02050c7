"""Data written as Python source, read without running any of it."""

import ast
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from pricing.imports.drafts import SourceError

# Parsing takes about a hundred times the memory of the text.
TEXT_LENGTH_MAX = 16 * 1024 * 1024


def read_assigned(text: str, name: str) -> Any:
    """Read what a module assigns to a name, without importing it.

    Lists, mappings, texts, whole numbers, True, False, None and `Decimal("...")` are themselves. A
    call such as `Tier(start=1)` becomes the mapping of its keywords (a keyword that ends in `_`
    without that), `datetime.date(2026, 1, 2)` its text, and another call the list of its arguments.

    Raises:
        SourceError: The text is too long, is not Python, does not assign the name, or assigns
            something that is no data.
    """
    if len(text) > TEXT_LENGTH_MAX:
        raise SourceError(f"has more than {TEXT_LENGTH_MAX} characters of Python")
    try:
        return _value(_assigned(ast.parse(text), name))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"not readable as Python data: {error}") from error


def _assigned(module: ast.Module, name: str) -> ast.expr:
    for statement in module.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=found), value=ast.expr() as value) if (
                found == name
            ):
                return value
            case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                return value
    raise SourceError(f"assigns nothing to {name}")


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=str() | int() | None as value):
            return value
        case ast.List(elts=elements):
            return [_value(element) for element in elements]
        case ast.Dict(keys=keys, values=values) if None not in keys:
            pairs = zip(keys, values, strict=True)
            return {_text(key): _value(value) for key, value in pairs if key is not None}
        case ast.Call():
            return _call(node)
        case ast.Attribute(value=ast.Name(id="datetime"), attr="UTC"):
            return "UTC"
    raise SourceError(f"line {node.lineno}: {ast.unparse(node)[:80]} is no data")


def _call(node: ast.Call) -> Any:
    """A `Decimal`, the text of a date, or the mapping or list that a call carries."""
    match node:
        case ast.Call(func=ast.Name(id="Decimal"), args=[ast.Constant(value=str() as digits)]):
            try:
                return Decimal(digits)
            except InvalidOperation:
                raise SourceError(f"line {node.lineno}: {digits[:80]!r} is no number") from None
        case ast.Call(
            func=ast.Attribute(attr="date"),
            args=[
                ast.Constant(value=int() as year),
                ast.Constant(value=int() as month),
                ast.Constant(value=int() as day),
            ],
        ):
            return date(year, month, day).isoformat()
        case ast.Call(args=[], keywords=keywords) if all(each.arg for each in keywords):
            return {(each.arg or "").removesuffix("_"): _value(each.value) for each in keywords}
    return [_value(argument) for argument in node.args]


def _text(node: ast.expr) -> str:
    value = _value(node)
    if not isinstance(value, str):
        raise SourceError(f"line {node.lineno}: a key must be text")
    return value
