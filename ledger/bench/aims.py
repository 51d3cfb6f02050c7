"""What a bench of intake sends: which records, cut how, in which form, over how many connections."""

from collections.abc import Iterator, Sequence

import msgspec

from ledger.bench.load import Prepared, Sent, prepare_request, send_all
from ledger.bench.records import cut
from ledger.bench.serving import Serving

FORMS = ("json", "ndjson")
_CONTENT_TYPES = {"ndjson": "application/x-ndjson"}


class Aim(msgspec.Struct, frozen=True):
    """Where a point's records go and how they are cut."""

    lines: Sequence[bytes]
    batch: int
    form: str
    connections: int
    seconds: float

    def requests(self, admin_key: str) -> list[Prepared]:
        """The prepared requests; a batch of one is a single record."""
        form = "record" if self.batch == 1 else self.form
        return list(prepared(cut(self.lines, self.batch), form, admin_key))

    async def send(self, serving: Serving) -> Sent:
        """Send it all, or what there is time for.

        Raises:
            UnexpectedAnswer: a request did not succeed.
        """
        requests = self.requests(serving.key)
        connections = min(self.connections, len(requests))
        return await send_all(
            serving.addresses, requests, connections=connections, seconds=self.seconds
        )


def prepared(batches: Iterator[Sequence[bytes]], form: str, admin_key: str) -> Iterator[Prepared]:
    """A request for each batch; in the form `record` each batch is of one."""
    path = "/v1/requests" if form == "record" else "/v1/requests/batch"
    content_type = _CONTENT_TYPES.get(form, "application/json")
    for lines in batches:
        yield prepare_request(path, content_type, admin_key, as_body(lines, form)), len(lines)


def as_body(lines: Sequence[bytes], form: str) -> bytes:
    """Records as one body: the record itself, a JSON array, or NDJSON."""
    match form:
        case "record":
            return lines[0]
        case "json":
            return b"[" + b",".join(lines) + b"]"
        case _:
            return b"\n".join(lines) + b"\n"
