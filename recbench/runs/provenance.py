"""Where results come from: code, Python, packages, machine."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # of the project
CODE = (
    *("*.py", "PerUser/*.py", "Collaborative/*.py", "Baselines/*.py"),
    *("recbench/**/*.py", "weightless/*.py"),
)


def provenance() -> dict:
    """Code, Python, packages and machine, for run.json."""
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return {
        "git_commit": git_commit(),
        "code": code_version(),
        "python": platform.python_version(),
        "packages": versions(line.split("==")[0] for line in requirements if "==" in line),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": _processor(),
            "cores": os.cpu_count(),
        },
    }


def changes(then: dict, now: dict) -> list[str]:
    """How two provenances differ: commit, code, Python, packages; not the machine."""
    named = {"git_commit": "the commit", "python": "Python"}
    if then.get("git_commit") == now["git_commit"] and "code" in then:
        named = {"code": "the code", **named}  # changed, and not committed
    pairs = [(what, then.get(key), now[key]) for key, what in named.items()]
    packages = then.get("packages") or {}
    pairs += [(name, packages.get(name), number) for name, number in now["packages"].items()]
    return [f"{what} was {a}, now {b}" for what, a, b in pairs if a != b]


@cache
def code_version() -> str:
    """SHA-256 of all files that can affect a result, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for file in sorted({file for pattern in CODE for file in ROOT.glob(pattern)}):
        digest.update(file.relative_to(ROOT).as_posix().encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def versions(packages: Iterable[str]) -> dict[str, str | None]:
    """The version of each package; None if it is not installed."""
    found: dict[str, str | None] = dict.fromkeys(packages)
    for name in found:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def git_commit() -> str | None:
    """The commit of the project's checkout, with "+changes" if the code has changed since."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(ROOT), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", ".", ":!results", ":!docs", ":!*.md")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None  # an unpacked archive


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor()
