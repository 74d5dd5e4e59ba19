"""Keys of titles, which are equal for different spellings of a title."""

from __future__ import annotations

import re
import unicodedata

ARTICLES = (
    *("the", "a", "an", "le", "la", "les", "un", "une", "el", "los", "las", "il", "lo", "gli"),
    *("i", "der", "die", "das", "ein", "eine", "den", "det", "de", "het", "o", "os", "en"),
)
MOVED = re.compile(rf"^(.+), (l['’´`]|{'|'.join(ARTICLES)})$", re.IGNORECASE)  # "Matrix, The"
LEADING = re.compile(rf"^(?:l['’´`]\s*|(?:{'|'.join(ARTICLES)})\s+)(.+)$", re.IGNORECASE)
PARENTHESES = re.compile(r"\(([^()]*)\)")
KNOWN_AS = re.compile(r"^(?:a\.?\s?k\.?\s?a\.?|also known as|or|originally)[\s:]+", re.IGNORECASE)
NO_NAME = re.compile(
    r"^(?:part|vol|volume|chapter|episode|the movie|director|extended|uncut|film|\d+$)\b|^\d+$",
    re.IGNORECASE,
)
SUBTITLE = re.compile(r":\s+|\s+[-–—]\s+|;\s+|,?\s+or:?\s+(?=[A-Z])")

# Letters that NFKD does not decompose
LETTERS = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ß": "ss", "ł": "l", "đ": "d", "ð": "d"})
LETTERS |= str.maketrans({"þ": "th", "ı": "i", "&": " and ", "+": " and ", "·": " ", "’": "'"})
WORDS = {"mister": "mr", "doctor": "dr", "versus": "vs", "saint": "st", "volume": "vol"}
WORDS |= {"blvd": "boulevard"}
COUNTING = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
WORDS |= {word: str(n) for n, word in enumerate((*COUNTING, "eleven", "twelve"))}
ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii")
NUMBERS = {numeral: str(number) for number, numeral in enumerate((*ROMAN, "xiv", "xv"), start=1)}
ONE_LETTER = {"i", "v", "x"}  # a numeral only at the end or after a word of COUNTED
COUNTED = {"part", "episode", "chapter", "vol", "volume"}

# Ranks of names: 0 is the title itself, a larger rank is a lesser-known name. Ranks are added; the
# remainder by ALTERNATIVE shows whether an article was left out
TITLE, LEFT_OUT, ALTERNATIVE = 0, 1, 5
TELLING = 3  # words; hardly any two movies share so many
SHORTEST_HEAD = 4  # characters


def article_first(title: str) -> str:
    """ "The Matrix" for "Matrix, The", also within parentheses."""
    outside = re.sub(r"\(([^()]*)\)", lambda found: f"({_article_first(found[1])})", title.strip())
    head, parenthesis, rest = outside.partition(" (")
    return _article_first(head) + parenthesis + rest


def _article_first(name: str) -> str:
    found = MOVED.match(name.strip())
    if not found:
        return name.strip()
    article = found[2]
    return f"{article}{found[1]}" if article[-1] in "'’´`" else f"{article} {found[1]}"


def key(name: str) -> str:
    """A name without case, accents, punctuation and spaces, with "and" for "&" and numbers in
    digits: "rocky2" for "Rocky II". A name without letters stays as it is."""
    return "".join(words_of(name)) or name.strip().casefold()


def words_of(name: str) -> list[str]:
    """The words of a name, normalised as in `key`."""
    text = unicodedata.normalize("NFKD", name.casefold().translate(LETTERS))
    text = "".join(one for one in text if not unicodedata.combining(one))
    words = re.findall(r"[^\W_]+", re.sub(r"['`´]", "", text))
    plain = []
    for place, word in enumerate(words):
        counts = place > 0 and (place == len(words) - 1 or words[place - 1] in COUNTED)
        is_number = word in NUMBERS and (word not in ONE_LETTER or counts)
        plain.append(NUMBERS[word] if is_number else WORDS.get(word, word))
    return plain


def names_of(title: str) -> dict[str, int]:
    """The keys of the names in a title, with their ranks: "Matrix, The (Matrice, La)" has two
    names, each with and without its article."""
    found: dict[str, int] = {}

    def add(name: str, rank: int) -> None:
        name = _article_first(re.sub(r"(?:,|:)?\s+or\s*$", "", name.strip(" ,:;-")))
        if not name:
            return
        found[key(name)] = min(rank, found.get(key(name), rank))
        bare = LEADING.match(name)
        if bare and len(key(bare[1])) > 1:
            found.setdefault(key(bare[1]), rank + LEFT_OUT)

    without = outside_parentheses(title)
    add(without, TITLE)
    add(title, TITLE)
    for inside in PARENTHESES.findall(title):
        for name in re.split(r"\s+/\s+|;", inside):
            alternative = KNOWN_AS.sub("", name.strip())
            if not NO_NAME.match(alternative):
                add(alternative, ALTERNATIVE)
    for name in re.split(r"\s+/\s+|\s+aka\s+", without)[1:]:
        add(name, ALTERNATIVE)
    return found


def parts_of(title: str) -> set[str]:
    """Keys of parts used in place of a title: the part before a subtitle, and the last three words
    or more: "Star Wars" and "A New Hope" of "Star Wars: Episode IV - A New Hope". Weaker than
    names, since other movies may have them."""
    whole = _article_first(outside_parentheses(title))
    head, *rest = SUBTITLE.split(whole)
    ends = [" ".join(whole.split()[start:]) for start in range(1, len(whole.split()) - TELLING + 1)]
    parts = {key(end) for end in ends if not NO_NAME.match(end)}
    return parts | {key(head)} if rest and len(key(head)) >= SHORTEST_HEAD else parts


def outside_parentheses(title: str) -> str:
    return " ".join(PARENTHESES.sub(" ", title).split())
