"""Cutting an array of records one by one, where strict decoding refuses it or might build too much of it."""

import json
import re

from ledger.core.errors import BodyTooLarge, MalformedBody

_JSON_SPACE = " \t\r\n"
_SPACE = re.compile(f"[{_JSON_SPACE}]*")
_OPENING = re.compile(r'S(?:(\{)S"requests"S:S)?\['.replace("S", _SPACE.pattern))
_MARK = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
# Looking for the end of what nests too deep takes a tenth of a second for so many brackets and texts.
_MOST_MARKS = 1_000_000
# Takes NaN, lone surrogates and numbers of any length, which single records are refused for.
_TOLERANT = json.JSONDecoder(parse_int=str, parse_float=str)


class ElementCutter:
    """Cuts an array element by element, and stops with the first that is too much."""

    def __init__(self, body: bytes, most_records: int) -> None:
        self._text = body.decode("utf-8", "surrogateescape")
        self._most_records = most_records
        self._marks = 0

    def cut(self, why: Exception | None) -> list[bytes]:
        """The elements. `why` strict decoding refuses the body."""
        opening = _OPENING.match(self._text)
        try:
            if opening is None:
                raise ValueError('neither an array nor {"requests": [...]}')
            records, end = self._elements(opening.end())
            if self._text[end:].strip(_JSON_SPACE) != ("}" if opening[1] else ""):
                raise ValueError("something follows the array")
        except ValueError as error:
            code = "body_truncated" if "truncated" in str(why) else "malformed_json"
            raise MalformedBody(f"the body is not JSON: {why or error}", code=code) from None
        return records

    def _elements(self, start: int) -> tuple[list[bytes], int]:
        """The elements of an array whose bracket ends at `start`, and where the array ends."""
        records: list[bytes] = []
        position = self._after_space(start)
        if self._text[position : position + 1] == "]":
            return records, position + 1
        while True:
            end = self._end_of_element(position)
            records.append(self._text[position:end].encode("utf-8", "surrogateescape"))
            if len(records) > self._most_records:
                raise too_many(self._most_records)
            position = self._after_space(end)
            follows = self._text[position : position + 1]
            position = self._after_space(position + 1)
            if follows == "]":
                return records, position
            if follows != ",":
                raise ValueError("neither the next element nor the end")

    def _end_of_element(self, start: int) -> int:
        """Where an element ends; of one that nests too deep to be read, where its brackets close."""
        try:
            return _TOLERANT.raw_decode(self._text, start)[1]
        except RecursionError:
            depth = 0
            for mark in _MARK.finditer(self._text, start):
                depth += (mark[0] in "[{") - (mark[0] in "]}")
                if depth == 0:
                    return mark.end()
                self._marks += 1
                if self._marks > _MOST_MARKS:
                    raise ValueError("nests too deep to be cut") from None
            raise ValueError("ends within an element") from None

    def _after_space(self, position: int) -> int:
        match = _SPACE.match(self._text, position)
        return match.end() if match else position


def too_many(most_records: int) -> BodyTooLarge:
    """More elements than a request may carry."""
    return BodyTooLarge(f"a body may have {most_records} records", code="too_many_records")
