"""The file of a user: whole or the old one, for the user's eyes alone, without a trace."""

import json
import os
import stat
from contextlib import suppress
from dataclasses import replace

import pytest

from recbench.errors import InputError
from recbench.own_ratings import profile as module
from recbench.own_ratings.profile import Profile, ProfileFile, profile_path
from recbench.own_ratings.reading import OwnRating

ALIEN = OwnRating(stars=4.5, title="Alien", year=1979, time=1_600_000_000, movie_id=1214)
HEAT = OwnRating(stars=3, title="Heat 🤠", year=1995, imdb_id="tt0113277")
KNOWN = Profile((HEAT, ALIEN), ("Horror",))
# as the first version of the program wrote it
FIRST_VERSION = r"""{"format": "recbench profile", "version": 1, "muted": ["Horror"], "ratings": [
{"stars": 3, "title": "Heat \ud83e\udd20", "year": 1995, "time": null, "movie_id": null,
 "imdb_id": "tt0113277", "original_title": ""},
{"stars": 4.5, "title": "Alien", "year": 1979, "time": 1600000000, "movie_id": 1214,
 "imdb_id": "", "original_title": ""}],
"sha256": "b94924eba8e8941415ac9100c150c6a1af6937adf8b731794e0b162cdbd403a7"}"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "me.json"


@pytest.fixture
def file(path):
    return ProfileFile(path)


@pytest.fixture
def other(path):
    """The same file in another program."""
    return ProfileFile(path)


def test_it_is_readable_by_the_user_alone_before_anything_is_in_it(monkeypatch, file):
    modes = []
    made = module.tempfile.mkstemp

    def watched(**words):
        descriptor, name = made(**words)
        modes.append((stat.S_IMODE(os.fstat(descriptor).st_mode), os.fstat(descriptor).st_size))
        return descriptor, name

    monkeypatch.setattr(module.tempfile, "mkstemp", watched)
    old_mask = os.umask(0)
    try:
        file.write(KNOWN)
        file.path.chmod(0o644)  # by somebody else
        file.write(replace(KNOWN, muted=()))
    finally:
        os.umask(old_mask)
    assert modes == [(0o600, 0), (0o600, 0)]
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_the_default_folder_is_for_the_user_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    path = profile_path()
    assert path.is_relative_to(tmp_path)
    ProfileFile(path).write(KNOWN)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["profile.json"]


@pytest.mark.parametrize("broken", ["replace", "fsync"])
@pytest.mark.parametrize(
    ("error", "raised"),
    [(KeyboardInterrupt(), KeyboardInterrupt), (OSError(28, "Full"), InputError)],
)
def test_an_interrupted_write_leaves_the_old_file(
    tmp_path, monkeypatch, broken, error, raised, file
):
    file.write(KNOWN)
    before = file.path.read_bytes()

    def fails(*_):
        raise error

    monkeypatch.setattr(module.os, broken, fails)
    with pytest.raises(raised) as caught:
        file.write(Profile())
    assert str(error.args[-1] if error.args else "") in str(caught.value)
    assert [one.name for one in tmp_path.iterdir()] == ["me.json"]
    assert file.path.read_bytes() == before


def test_what_another_program_wrote_meanwhile_is_not_overwritten(file, other):
    file.read(), other.read()
    other.write(KNOWN)
    with pytest.raises(InputError, match="meanwhile"):
        file.write(Profile())
    assert ProfileFile(file.path).read() == KNOWN


def test_a_link_is_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    link, target = tmp_path / "me.json", tmp_path / "elsewhere" / "kept.json"
    link.symlink_to(target)
    ProfileFile(link).write(KNOWN)
    assert link.is_symlink()
    assert ProfileFile(target).read() == KNOWN


def test_delete(file):
    assert not file.delete()
    file.path.write_text("no profile at all")
    assert file.delete()
    assert not file.path.exists()


def refused(path, *words):
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(InputError) as error:
        ProfileFile(path).read()
    assert all(word in str(error.value) for word in (str(path), *words)), error.value
    assert before is None or path.read_bytes() == before


def test_a_profile_of_the_first_version_opens(file):
    file.path.write_text(FIRST_VERSION)
    assert file.read() == KNOWN
    assert json.loads(KNOWN.encoded())["version"] == 2


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b"[]", b"\x00\xff" * 99, b'{"format": "recbench profile"}', b"[" * 9999],
)
def test_what_is_no_profile(content, path):
    path.write_bytes(content)
    refused(path, "left as it is", "--delete-profile")


def test_any_byte_that_is_changed_is_noticed(path):
    content = KNOWN.encoded()
    for place in range(0, len(content), 7):
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        with suppress(InputError):
            assert ProfileFile(path).read() == KNOWN  # white space alone
    for length in range(0, len(content) - 2, 50):
        path.write_bytes(content[:length])
        refused(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 3}, ("has version 3", "reads versions up to 2")),
        ({"format": "recbench item table"}, ("recbench item table",)),
        ({"ratings": [{"star": 3}]}, ("damaged",)),
        ({"ratings": 3}, ("damaged",)),
        ({"muted": None}, ("damaged",)),
    ],
)
def test_what_another_program_made(change, words, path):
    data = json.loads(KNOWN.encoded()) | change
    del data["sha256"]
    path.write_text(json.dumps(data | {"sha256": module._checksum(data)}))
    refused(path, *words)


def test_a_folder(tmp_path):
    refused(tmp_path, "is a folder")
    with pytest.raises(InputError, match="cannot be deleted"):
        ProfileFile(tmp_path).delete()


# --- the lock ------------------------------------------------------------------------------------


def test_a_lock_leaves_nothing_and_does_not_wait_for_itself(tmp_path, file):
    with file.locked(), file.locked():
        assert len(list(tmp_path.iterdir())) == 1
        file.write(Profile((ALIEN,)))
        with pytest.raises(RuntimeError), file.locked():
            raise RuntimeError
        assert len(list(tmp_path.iterdir())) == 2
    assert [one.name for one in tmp_path.iterdir()] == ["me.json"]


def test_a_lock_that_another_holds(monkeypatch, file, other):
    monkeypatch.setattr(module, "LONGEST_WAIT", 0.1)
    with file.locked(), pytest.raises(InputError, match="cannot be written"):
        other.write(Profile())
    other.write(Profile())
    assert json.loads(file.path.read_bytes())["ratings"] == []


def test_no_folder_is_made_for_a_lock(tmp_path):
    file = ProfileFile(tmp_path / "none" / "me.json")
    with pytest.raises(InputError, match=r"cannot be written \(No such file"):
        file.write(KNOWN)
    with pytest.raises(InputError, match="No such file"), file.locked():
        pass
    assert list(tmp_path.iterdir()) == []
