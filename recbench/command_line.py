"""Flags from a dataclass of parameters, and errors that a user can read."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

import tyro

from recbench.errors import InputError

P = TypeVar("P")


def run(main: Callable[[P], int | None], parameters: type[P]) -> None:
    """Read `parameters` from the command line, call `main` with them, end with its status.

    A wrong flag or an `InputError` is one message on stderr and status 2; an interruption is 130.
    """
    description = (sys.modules["__main__"].__doc__ or "").strip()
    chosen = tyro.cli(parameters, description=description)
    try:
        status = main(chosen)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    sys.exit(status or 0)
