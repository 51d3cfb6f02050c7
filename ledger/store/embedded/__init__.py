"""The PostgreSQL server that travels with the product and lives in its data folder.

One server serves every process that uses the same data folder: the first to come starts it, the
last to leave stops it. It listens on a unix socket in a private folder and nowhere else.
"""

from ledger.store.embedded.binaries import find_binary
from ledger.store.embedded.errors import EmbeddedServerError
from ledger.store.embedded.server import EmbeddedServer, embedded_server, stop_servers_at_once

__all__ = [
    "EmbeddedServer",
    "EmbeddedServerError",
    "embedded_server",
    "find_binary",
    "stop_servers_at_once",
]
