"""A person as a file: what comes back, what is refused, and nothing of what was forgotten."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fitting import fit

from PerUser.personal import Personal
from recbench.checks.toy_data import toy_movies, toy_ratings, toy_table
from recbench.models.item_table.table import ItemTables
from recbench.ratings import Ratings
from weightless.storage import write

FILMS = 40
MOVIES = toy_movies(FILMS)
TABLES = ItemTables.same_for_all(toy_table(MOVIES))
NOBODY = Ratings([], [], [], [])


def fitted(train: Ratings) -> Personal:
    return fit(Personal(), train, MOVIES, item_tables=TABLES)


def predictions(model: Personal, user: int) -> np.ndarray:
    return np.array(model.predict_normal(np.full(FILMS, user), np.arange(FILMS)))


@pytest.mark.parametrize("watched", [[], [3, 8, 39]])
def test_a_person_comes_back_as_one_was(tmp_path, watched):
    model = fitted(toy_ratings([12, 30], FILMS))
    model.watch(1, np.array(watched, dtype=int))
    path = tmp_path / "me"
    model.save_user(1, path)
    other = fitted(toy_ratings([9], FILMS, seed=8))
    before = predictions(other, 0)
    other.load_user(5, path)
    np.testing.assert_allclose(predictions(other, 5), predictions(model, 1), atol=1e-10)
    assert (predictions(other, 0) == before).all()
    other.load_user(0, path)  # takes the place of what was remembered
    np.testing.assert_allclose(predictions(other, 0), predictions(model, 1), atol=1e-10)
    for one in (model, other):
        user = 1 if one is model else 5
        one.learn_one(user, 0, 4.5)
        one.forget_one(user, 0)
    np.testing.assert_allclose(predictions(other, 5), predictions(model, 1), atol=1e-10)
    other.save_user(5, tmp_path / "again")
    model.save_user(1, path)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["again", "me"]


@pytest.mark.parametrize("explained", [False, True])
def test_of_what_was_forgotten_no_byte_is_saved(tmp_path, explained):
    """The file of a person who forgot is that of one who never had the rating."""
    train = toy_ratings([30], FILMS)
    model = fitted(train)
    if explained:
        model.explain_one(0, 3)
    for row in (4, 0, 29):
        model.forget_one(0, int(train.movie[row]))
    model.learn_one(0, 39, 0.5)
    model.forget_one(0, 39)
    model.save_user(0, tmp_path / "forgot")
    fitted(train.take(np.setdiff1d(np.arange(30), [0, 4, 29]))).save_user(0, tmp_path / "never")
    assert (tmp_path / "forgot").read_bytes() == (tmp_path / "never").read_bytes()
    fitted(train).save_user(0, tmp_path / "whole")
    assert (tmp_path / "whole").read_bytes() != (tmp_path / "never").read_bytes()


def test_a_file_from_before_movies_were_watched(tmp_path):
    arrays = {"movie_id": np.array([13, 3]), "stars": np.array([9, 2], np.int8)}
    write(tmp_path / "me", "user", {"ratings": 2}, arrays)
    model = fitted(NOBODY)
    model.load_user(0, tmp_path / "me")
    expected = fitted(Ratings([0, 0], [1, 0], [4.5, 1.0], [1, 2]))
    assert (predictions(model, 0) == predictions(expected, 0)).all()


def test_movies_are_found_by_their_id(tmp_path):
    """Where they stand in another order."""
    model = fitted(toy_ratings([12], FILMS))
    model.save_user(0, tmp_path / "me")
    order = np.random.default_rng(0).permutation(FILMS)
    columns = ("bits", "vote_average", "vote_count", "movie_id", "title")
    mixed = replace(MOVIES, **{name: getattr(MOVIES, name)[order] for name in columns})
    tables = ItemTables.same_for_all(TABLES.tables[0].for_movies(mixed))
    other = fit(Personal(), NOBODY, mixed, item_tables=tables)
    other.load_user(0, tmp_path / "me")
    np.testing.assert_allclose(predictions(other, 0), predictions(model, 0)[:, order], atol=1e-10)


def test_nothing_is_remembered_of_a_stranger(tmp_path):
    model = fitted(toy_ratings([2], FILMS))
    with pytest.raises(KeyError, match="nothing is remembered of user 4"):
        model.save_user(4, tmp_path / "x")
    for movie in model.memories[0].movie.tolist():
        model.forget_one(0, movie)
    with pytest.raises(KeyError):
        model.save_user(0, tmp_path / "x")
    assert not (tmp_path / "x").exists()


# --- files that are not what they should be ----------------------------------------------------


@pytest.fixture
def path(tmp_path):
    fitted(toy_ratings([12], FILMS)).save_user(0, tmp_path / "me")
    return tmp_path / "me"


def refused(path, saying: str) -> None:
    """And what is remembered stays as it is."""
    model = fitted(toy_ratings([5], FILMS, seed=3))
    before = predictions(model, 0)
    with pytest.raises(FileNotFoundError):
        model.load_user(0, path.with_name("nobody"))
    with pytest.raises(ValueError, match=saying) as error:
        model.load_user(0, path)
    assert str(path) in str(error.value)
    assert (predictions(model, 0) == before).all()


def test_a_file_that_was_cut_off(path):
    whole = path.read_bytes()
    for length in range(0, len(whole), 41):
        path.write_bytes(whole[:length])
        refused(path, "is damaged")


def test_a_file_with_a_byte_changed_is_refused_or_says_the_same(path):
    model = fitted(NOBODY)
    model.load_user(0, path)
    whole, expected, refusals = path.read_bytes(), predictions(model, 0), 0
    for place in range(0, len(whole), 3):
        changed = bytearray(whole)
        changed[place] ^= 0x55
        path.write_bytes(changed)
        try:
            model.load_user(0, path)
        except ValueError:
            refusals += 1
        assert (predictions(model, 0) == expected).all()
    assert refusals > 0.5 * len(whole) / 3


def test_a_file_of_something_else(path):
    path.write_text("movieId,rating\n1,4.5\n")
    refused(path, "is damaged")
    write(path, "agent", {}, {"movie_id": np.array([3]), "stars": np.array([8])})
    refused(path, "holds agent data, not user data")


def test_a_movie_that_the_table_does_not_know(path):
    arrays = {"movie_id": np.array([13, 23]), "stars": np.array([8, 9], np.int8)}
    for name in ("movie_id", "watched"):
        write(path, "user", {"ratings": 2}, arrays | {name: np.array([33, 7])})
        refused(path, "the item table has no movie 7")


@pytest.mark.parametrize("gone", ["movie_id", "stars"])
def test_movies_or_stars_that_are_missing(path, gone):
    arrays = {"movie_id": np.array([13, 23]), "stars": np.array([8, 9], np.int8)}
    one_less = {**arrays, gone: arrays[gone][:1]}
    without = {name: one for name, one in arrays.items() if name != gone}
    for found, ratings in ((without, 2), (one_less, 2), (arrays, 3)):
        write(path, "user", {"ratings": ratings}, found)
        refused(path, "is damaged")


@pytest.mark.parametrize("where", ["savez_compressed", "replace"])
def test_an_interrupted_write_leaves_the_old_file(path, monkeypatch, where):
    from weightless import storage

    def interrupted(*arguments, **named):
        raise KeyboardInterrupt

    before = path.read_bytes()
    module = storage.np if where == "savez_compressed" else storage.os
    monkeypatch.setattr(module, where, interrupted)
    with pytest.raises(KeyboardInterrupt):
        fitted(toy_ratings([3], FILMS)).save_user(0, path)
    assert path.read_bytes() == before
