"""The pages of the project, and what they print: blocks and commands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests_paths import ROOT

README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
EARLIER = ROOT / "docs" / "from-earlier-versions.md"
RESULTS = ROOT / "results" / "README.md"
RUNS = sorted((ROOT / "results").glob("*/*/README.md"))
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.md"))
PAGES = [README, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *DOCS, RESULTS, *TEMPLATES]

PROGRAM = r"(?:\.venv/bin/)?(?:python3?|pip|make)"


def where(page: Path) -> str:
    return str(page.relative_to(ROOT))


def present(page: Path) -> str:
    """The text of a page without names that were removed."""
    return "" if page == EARLIER else page.read_text().split("### Removed")[0]


def blocks(page: Path, language: str = r"\w*") -> list[str]:
    """The text between lines of three backticks."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def named_block(name: str, page: Path) -> str:
    """The block between <!-- name --> and <!-- end -->."""
    found = re.search(rf"<!-- {name} -->\n```\w*\n(.*?)```\n<!-- end -->", page.read_text(), re.S)
    return found[1]


def commands(page: Path) -> list[list[str]]:
    """The words of each command, in blocks, in indented lines and between backticks, without
    prompt, comment and ".venv/bin/"."""
    text = re.sub(r" \\\n\s*", " ", present(page))
    in_lines = re.findall(rf"^(?:    )?(?:\$ )?({PROGRAM} .*)$", text, re.MULTILINE)
    in_text = re.findall(rf"`({PROGRAM} [^`]+)`", re.sub(r"(?ms)^```.*?^```$", "", text))
    found = [one for line in in_lines + in_text for one in line.split(" && ")]
    plain = (re.sub(r"\s+#.*", "", one).removeprefix(".venv/bin/") for one in found)
    return [shlex.split(one.rstrip(" &")) for one in dict.fromkeys(plain)]


def printed(page: Path, start: str) -> list[tuple[list[str], list[str]]]:
    """The commands of a session whose text begins with `start`, each with the lines below it."""
    found = []
    for block in blocks(page, ""):
        for part in re.split(r"^\$ ", re.sub(r" \\\n\s*", " ", block), flags=re.MULTILINE)[1:]:
            command, *lines = part.splitlines()
            if command.startswith(start):
                found.append((shlex.split(command), [line.rstrip() for line in lines]))
    return found


def run(words: list, folder: Path, project: Path = ROOT, **environment: str) -> str:
    """What a command of Python prints in `folder`, with a profile of its own; a script is found in
    the project."""
    own = {"XDG_DATA_HOME": str(folder / "data"), "PYTHONPATH": str(project), "COLUMNS": "100"}
    script = [project / words[0]] if (project / words[0]).is_file() else words[:1]
    done = subprocess.run(
        [sys.executable, *map(str, [*script, *words[1:]])],
        cwd=folder,
        env=os.environ | own | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
