"""From the bytes of an export to text, whatever encoding it came in."""

from __future__ import annotations

import codecs
import unicodedata
from pathlib import Path

from recbench.errors import InputError

LARGEST = 100_000_000  # bytes; the export of one user has a few hundred thousand
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path) -> str:
    """The text of a file: UTF-8 or UTF-16 with or without a mark in front, else Windows-1252.

    Raises:
        InputError: there is no such file, it cannot be read, is empty, too large or no text.
    """
    try:
        if path.is_dir():
            raise InputError(
                f"{path}: is a folder. Expected a file, such as {path / 'ratings.csv'}"
            )
        if not path.exists():
            raise InputError(f"{path}: there is no such file. Expected a file of your ratings")
        if not path.is_file():
            raise InputError(f"{path}: is no ordinary file. Expected a CSV file")
        if path.stat().st_size > LARGEST:
            raise InputError(
                f"{path}: has {path.stat().st_size:,} bytes. Expected the ratings of one user, "
                f"{LARGEST:,} bytes at most"
            )
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    return text_of(content, path)


def text_of(content: bytes, path: Path) -> str:
    """The text of what is in a file, as `read_text`; `path` is named in errors."""
    if not content.strip():
        raise InputError(f"{path}: is empty. Expected a heading and a row for each rating")
    if content.startswith(b"PK\x03\x04"):
        raise InputError(f"{path}: is a zip file. Unpack it, and give the ratings.csv in it")
    text = decoded(content)
    if _control_characters(text):
        raise InputError(f"{path}: is no text. Expected a CSV file of ratings")
    return unicodedata.normalize("NFC", text)


def decoded(content: bytes) -> str:
    """Text of bytes: a mark in front says which encoding; without one, zeros at every second
    place mean UTF-16, else it is UTF-8 if it can be, and Windows-1252 if not."""
    if content.startswith(codecs.BOM_UTF8):
        return content.decode("utf-8-sig", errors="replace")
    if content.startswith(UTF_16):
        return content.decode("utf-16", errors="replace")
    beginning = content[:200]
    if beginning.count(0) > len(beginning) // 3:
        little = beginning[1::2].count(0) > beginning[::2].count(0)
        return content.decode("utf-16-le" if little else "utf-16-be", errors="replace")
    for encoding in ("utf-8", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            pass
    return content.decode("latin-1")


def _control_characters(text: str) -> bool:
    """Whether the beginning holds what no text does."""
    return any(unicodedata.category(sign) == "Cc" and sign not in "\t\r\n" for sign in text[:2000])
