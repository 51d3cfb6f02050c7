"""A CSV file while it is written: line ends, compression, and what the manifest says of it."""

import hashlib

from ledger.exports.compression import SUFFIXES, compressor
from ledger.exports.files import PendingFile
from ledger.exports.line_ends import LineEnds
from ledger.exports.manifest import ExportedFile


def file_name(name: str, compression: str | None) -> str:
    """What the file of an export is called in its folder: `usage.csv`, `usage.csv.gz`, `usage.csv.zst`."""
    return f"{name}.csv{SUFFIXES[compression] if compression else ''}"


class CsvFile:
    """Takes CSV with LF line ends and writes it with CRLF, compressed by `gzip`, `zstd` or not at all."""

    def __init__(self, file: PendingFile, compression: str | None) -> None:
        self._file = file
        self._line_ends = LineEnds()
        self._compression = compression
        self._compressor = compressor(compression) if compression else None
        self._digest = hashlib.sha256()

    @property
    def rows(self) -> int:
        """How many rows it has by now; the header is none."""
        return self._line_ends.lines - 1

    def write(self, piece: bytes) -> None:
        """Append a piece, cut anywhere.

        Raises:
            SetupError: the folder does not take it; the detail says what to do.
        """
        text = self._line_ends.translate(piece)
        if self._compressor is None:
            self._file.write(text)
            return
        self._digest.update(text)
        self._file.write(self._compressor.compress(text))

    def finish(self, rows: int, sums: dict[str, str]) -> ExportedFile:
        """Write the end, and say what the file is; `rows` and `sums` are those of its text."""
        if self._compressor is None:
            return ExportedFile(self._file.name, rows, sums, self._file.sha256)
        self._file.write(self._compressor.flush())
        return ExportedFile(
            self._file.name,
            rows,
            sums,
            self._file.sha256,
            compression=self._compression,
            csv_sha256=self._digest.hexdigest(),
        )
