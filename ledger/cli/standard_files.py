"""stdin, stdout and stderr as a program may find them: closed from the start, or full."""

import os
import sys


def open_standard_files() -> None:
    """Give whoever started us without stdin, stdout or stderr an empty one.

    Else the next file or connection takes its number, and what is printed goes to the database.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 - for good


def give_output_up() -> None:
    """Let what cannot be written go, or Python would try again as it ends, and exit as it likes."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
