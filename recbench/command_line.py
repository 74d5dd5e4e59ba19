"""Flags from a dataclass of parameters, and errors that a user can read."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import tyro

from recbench.errors import InputError
from recbench.threads import one_thread

P = TypeVar("P")


def run(main: Callable[[P], int | None], parameters: type[P]) -> None:
    """Read `parameters` from the command line, call `main` with them, on one thread as far as
    matrices go, end with its status.

    A wrong flag or an `InputError` is one message on stderr and status 2; an interruption is 130.
    """
    description = (sys.modules["__main__"].__doc__ or "").strip()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may not know "×"
            stream.reconfigure(errors="replace")
    program = _program()
    chosen = tyro.cli(parameters, prog=program, description=description)
    try:
        resume = getattr(chosen, "resume", "")
        if resume:  # the run's own parameters are the defaults, so that others show
            from recbench.runs.resume import kept_parameters  # pandas: for scripts that resume

            kept = kept_parameters(resume, parameters)
            chosen = tyro.cli(parameters, prog=program, description=description, default=kept)
        with one_thread():
            status = main(chosen)
        sys.stdout.flush()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # the reader, `| head`, has seen enough
        _leave(141)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}", file=sys.stderr)
        _leave(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    sys.exit(status or 0)


def _program() -> str:
    """How it was called: "compare_all.py", "python -m recbench.film_table"."""
    module = sys.modules["__main__"].__spec__
    name = module.name.removesuffix(".__main__") if module else ""
    return f"python -m {name}" if name else Path(sys.argv[0]).name


def _leave(status: int) -> NoReturn:
    """End although standard output cannot be written to: it is not flushed again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)
