"""The commands that the pages print: those in blocks, and those in the text between backticks."""

from __future__ import annotations

import re
import shlex
import textwrap
from dataclasses import dataclass
from pathlib import Path

from tests_paths import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "results" / "README.md",
    *sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.md")),
]
PROGRAMS = ("python", "python3", "pip", "make", "jupyter", "git", "cd", "curl", "unzip")
PROGRAM = rf"(?:\.venv/bin/)?(?:{'|'.join(PROGRAMS)})"


@dataclass(frozen=True)
class Command:
    """One command of a page.

    Attributes:
        text: as it stands there, on one line, without prompt, comment and ".venv/bin/".
        printed: the lines below it in its block, up to the next command.
        in_block: False: in the text, where flags may be left out that the sentence gives.
    """

    page: str
    text: str
    printed: str = ""
    in_block: bool = True

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text)


@dataclass(frozen=True)
class Block:
    """What stands between two lines of three backticks."""

    page: str
    language: str
    text: str


def blocks_of(page: Path) -> list[Block]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    blocks = [Block(where(page), language, text) for language, text in found]
    indented = re.findall(r"\n\n((?:    .*\n)+)", page.read_text())  # a block without backticks
    return blocks + [
        Block(where(page), "", textwrap.dedent(text))
        for text in indented
        if re.match(rf"    (\$ )?{PROGRAM}\b ", text)
    ]


def commands_in(block: Block) -> list[Command]:
    """Those of a block; none of one in a language, or that shows what is printed alone."""
    if block.language not in ("", "bash", "sh", "console"):
        return []
    lines = re.sub(r" \\\n\s*", " ", block.text).splitlines()
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        if re.match(rf"(\$ )?{PROGRAM}\b ", line) or line.startswith("$ "):
            found += [(one, []) for one in line.removeprefix("$ ").split(" && ")]
        elif found:
            found[-1][1].append(line)
    return [Command(block.page, plain(text), "\n".join(below)) for text, below in found]


def commands_of(page: Path) -> list[Command]:
    text = page.read_text()
    found = [command for block in blocks_of(page) for command in commands_in(block)]
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    inline = re.findall(rf"`({PROGRAM} [^`]+)`", prose)
    return found + [
        Command(where(page), plain(one), in_block=False)
        for text in inline
        for one in text.split(" && ")
    ]


def where(page: Path) -> str:
    return str(page.relative_to(ROOT))


def plain(text: str) -> str:
    return re.sub(r"\s+#.*", "", text).removeprefix(".venv/bin/").strip()


def all_commands() -> list[Command]:
    """Each once, the first time that it stands in a page."""
    found: dict[str, Command] = {}
    for page in PAGES:
        for command in commands_of(page):
            found.setdefault(command.text, command)
    return list(found.values())
