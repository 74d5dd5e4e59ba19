"""Draw docs/running.svg: the terminal while `compare_all.py` runs.

    python docs/draw_terminal.py

It starts the default comparison in a terminal of its own, 80 columns wide, and takes the picture
when some cells are done. Needs requirements-dev.txt.
"""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

import pyte
from rich.style import Style
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from recbench.report.terminal import COLUMNS, terminal_picture  # noqa: E402

PICTURE = ROOT / "docs" / "running.svg"
COMMAND = "compare_all.py"
LINES = 40
ENOUGH = "8/25"  # cells that are done


def main() -> None:
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        words = [sys.executable, str(ROOT / COMMAND), "--dataset", "ml-100k"]
        words += ["--output-dir", "results/first"]
        environment = {**os.environ, "TERM": "xterm-256color"}
        run = subprocess.Popen(
            words, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
        )
        try:
            while ENOUGH not in "".join(screen.display):
                stream.feed(os.read(ours, 65536))
        finally:
            run.kill()
            run.wait()
    lines = [f"$ python {COMMAND}", *(styled(screen, row) for row in range(LINES))]
    while not str(lines[-1]).strip():
        lines.pop()
    PICTURE.write_text(terminal_picture(lines), encoding="utf-8")
    print(PICTURE)


def styled(screen: pyte.Screen, row: int) -> Text:
    """A line of the screen, in its colours."""
    line = Text()
    for column in range(COLUMNS):
        one = screen.buffer[row][column]
        line.append(one.data, Style(color=colour(one.fg), bold=one.bold))
    line.rstrip()
    return line


def colour(name: str) -> str:
    """Of the terminal, as rich names it."""
    if len(name) == 6 and set(name) <= set("0123456789abcdef"):
        return f"#{name}"
    return {"brown": "yellow"}.get(name, name).replace("bright", "bright_")


if __name__ == "__main__":
    main()
