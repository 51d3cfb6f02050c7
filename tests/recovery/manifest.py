"""What `pg_verifybackup` does with the files of a base backup, for where it does not start.

The format: https://www.postgresql.org/docs/current/backup-manifest-format.html
"""

import hashlib
import json
from pathlib import Path

# The manifest itself, and the log that is streamed beside the files.
_NOT_IN_IT = ("backup_manifest", "pg_wal/")


def require_whole(backup: Path) -> None:
    """Compare every file with the manifest, which has SHA-256.

    Raises:
        AssertionError: the manifest or a file is not as it was written.
    """
    text = (backup / "backup_manifest").read_bytes()
    manifest = json.loads(text)
    stated, _, _ = text.rpartition(b'"Manifest-Checksum"')
    assert hashlib.sha256(stated).hexdigest() == manifest["Manifest-Checksum"]
    digests = {each["Path"]: each["Checksum"] for each in manifest["Files"]}
    paths = {str(each.relative_to(backup)) for each in backup.rglob("*") if each.is_file()}
    assert {path for path in paths if not path.startswith(_NOT_IN_IT)} == set(digests)
    for path, digest in digests.items():
        assert hashlib.sha256((backup / path).read_bytes()).hexdigest() == digest, path
