"""`python -m ledger.demo` prints the bundled request records."""

import sys

from ledger.demo.sample import sample_lines

if __name__ == "__main__":
    sys.stdout.buffer.writelines(sample_lines())
