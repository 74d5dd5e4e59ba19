"""A file of one's own to begin with: `template.py`, as it stands."""

from __future__ import annotations

from keyword import iskeyword
from pathlib import Path

from recbench.errors import InputError

TEMPLATE = Path(__file__).with_name("template.py")


def write_template(file: str) -> Path:
    """Write the template to `file`, with ".py" behind it if that is missing; returns the path.

    Raises:
        InputError: the file is there already, there is no such folder, or Python could not import
            a file of that name.
    """
    path = Path(file if file.endswith(".py") else f"{file}.py")
    if not path.stem.isidentifier() or iskeyword(path.stem):
        raise InputError(f"{path}: expected a name of letters, digits and _, such as my_file.py")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}. Make it first")
    try:
        with path.open("x", encoding="utf-8") as new:
            new.write(TEMPLATE.read_text(encoding="utf-8"))
    except FileExistsError:
        raise InputError(
            f"{path}: is there already, and is not overwritten. Give another name"
        ) from None
    return path
