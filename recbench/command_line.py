"""Flags from a dataclass of parameters, and errors that a user can read."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field, fields, is_dataclass, make_dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar, get_args, get_origin, get_type_hints

import tyro
from tyro.conf import OmitArgPrefixes, arg

from recbench.errors import InputError
from recbench.threads import one_thread

P = TypeVar("P")

RATINGS = arg(aliases=("--ratings-per-user",))  # of `reviews_per_user`, the published name


def run(main: Callable[[P], int | None], parameters: type[P] | P) -> NoReturn:
    """Call `main` with `parameters`, with matrix products on one thread; exit with its status.

    Args:
        parameters: what `read_flags` returned, or the dataclass to read from the command line.
    """
    values: Any = parameters
    if isinstance(values, type) or not is_dataclass(values):
        values = read_flags(values)
    with _readable_errors(), one_thread():
        status = main(values)
    sys.exit(status or 0)


def read_flags(parameters: Any, check: Callable[[Any], object] | None = None) -> Any:
    """The parameters of the command line. A script calls it before the imports that take seconds,
    so that --help and a wrong flag are answered at once.

    Args:
        parameters: a dataclass, or an instance with other defaults. If it inherits from several
            dataclasses, these are the groups of --help.
        check: raises `InputError` for a wrong value.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may not know "×"
            stream.reconfigure(errors="replace")
    with _readable_errors():
        values = _parsed(parameters)
        resume = getattr(values, "resume", "")
        if resume:  # the run's own parameters are the defaults, so that differences show
            from recbench.runs.resume import kept_parameters

            values = _parsed(kept_parameters(resume, type(values)))
        if check:
            check(values)
    return values


def several(value: Any) -> tuple[Any, ...]:
    """The default of a flag with several values, also if it is written as a single value."""
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def unset(meaning: str, metavar: str | None = None) -> Any:
    """Give a flag with default None or empty the text that --help shows as its default."""

    def hint(default: str) -> str:
        return f"(default: {meaning if default in ('None', '', repr('')) else default})"

    return arg(help_behavior_hint=hint, metavar=metavar)


def parse_cells(texts: tuple[str, ...], least_ratings: int) -> list[tuple[int, int]]:
    """Parse cells such as "250x25": number of users, and of ratings of each (0: all).

    Raises:
        InputError: a text is no such cell, has fewer ratings than `least_ratings`, or appears
            twice.
    """
    sizes = []
    for cell in texts:
        found = re.fullmatch("([0-9]{1,9})x([0-9]{1,9})", cell)
        if not found:
            raise InputError(f"--cells: '{cell}'. Expected users x ratings of each, such as 250x25")
        users, ratings = map(int, found.groups())
        if 0 < ratings < least_ratings:
            raise InputError(f"--cells: '{cell}'. Expected {least_ratings} ratings or more of each")
        sizes.append((users, ratings))
    if len(set(sizes)) != len(sizes):
        raise InputError(f"--cells is {' '.join(texts)}. Expected each once")
    return sizes


def check_once(flag: str, names: Sequence[str]) -> None:
    """Raises InputError for a repeated name."""
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{flag}: {name} is listed twice. Expected each name once")


def _parsed(parameters: Any) -> Any:
    """The flags, read by tyro, which ends the program for --help or a wrong flag."""
    description = (sys.modules["__main__"].__doc__ or "").strip()
    cli = partial(tyro.cli, prog=_program(), description=description, config=[OmitArgPrefixes])
    kind = parameters if isinstance(parameters, type) else type(parameters)
    groups: list[Any] = [base for base in kind.__bases__ if is_dataclass(base)]
    if len(groups) < 2 and (kind is parameters or not is_dataclass(parameters)):
        return cli(parameters)
    if kind is parameters:
        parameters = parameters()
    _check_types(parameters)
    if len(groups) < 2:
        return cli(kind, default=parameters)
    parts = []
    for group in groups:
        name = group.__name__.removesuffix("Flags").lower()
        own = {one.name: getattr(parameters, one.name) for one in fields(group)}
        parts.append((name, group, field(default_factory=partial(group, **own))))
    flags = vars(cli(make_dataclass("Flags", parts)))
    return kind(**{name: value for part in flags.values() for name, value in vars(part).items()})


def _check_types(parameters: Any) -> None:
    """Raises InputError if a parameter at the top of a script has the wrong type."""
    for name, kind in get_type_hints(type(parameters)).items():
        value = getattr(parameters, name)
        if not _is_one(value, kind):
            shown = f"{name.upper()} is {value!r} in {sys.argv[0]}"
            raise InputError(f"{shown}. Expected {_in_words(kind)}")


def _is_one(value: Any, kind: Any) -> bool:
    """Whether `value` has the type `kind`, an annotation of a flag."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return value in parts
    if origin is tuple:
        return isinstance(value, tuple) and all(_is_one(one, parts[0]) for one in value)
    if origin is not None:
        return any(_is_one(value, part) for part in parts)
    return isinstance(value, (int, float) if kind is float else kind)


def _in_words(kind: Any) -> str:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join(map(repr, parts))
    if origin is tuple:
        return f"{_in_words(parts[0])}, or several in brackets"
    if origin is not None:
        return " or ".join(map(_in_words, parts))
    return {int: "a whole number", float: "a number", str: "a text"}.get(kind, kind.__name__)


@contextmanager
def _readable_errors() -> Iterator[None]:
    """A wrong flag or an `InputError` is one message on stderr and status 2; an interruption is
    status 130; a closed standard output, as after `| head`, is no error."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        _leave(141)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}", file=sys.stderr)
        _leave(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def _program() -> str:
    """The program as it was called: "compare_all.py", "python -m recbench.models.item_table"."""
    module = sys.modules["__main__"].__spec__
    name = module.name.removesuffix(".__main__") if module else ""
    return f"python -m {name}" if name else Path(sys.argv[0]).name


def _leave(status: int) -> NoReturn:
    """Exit without flushing standard output again, since it cannot be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)
