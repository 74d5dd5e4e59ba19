"""GroupLens's layouts and zip files, made here: the same ratings and movies from each."""

import zipfile

import numpy as np
import polars as pl
import pytest
from tests_paths import METADATA, SYNTHETIC

from recbench.data import cache, kaggle
from recbench.data.dataset import join_movies
from recbench.data.datasets import load_source
from recbench.data.layouts import U_ITEM_GENRES, files_of, links_by_title
from recbench.errors import InputError

MOVIES = [
    (1, "Toy Story (1995)", "Animation|Children's|Comedy"),
    (2, "Matrix, The (1999)", "Action|Sci-Fi"),
    (31, "Café Lumière (2003)", "Drama"),
    (40, "No year", "Musical"),
]
RATINGS = [(1, 1, 4, 978_300_760), (1, 2, 5, 978_300_761), (7, 31, 3, 978_300_762)]
RATINGS += [(7, 40, 1, 978_300_763), (9, 1, 2, 978_300_764)]


def write_csv(folder):
    rows = ["userId,movieId,rating,timestamp", *(",".join(map(str, row)) for row in RATINGS)]
    (folder / "ratings.csv").write_text("\n".join(rows) + "\n")
    rows = ["movieId,title,genres"]
    rows += [f'{one},"{title}",{genres}' for one, title, genres in MOVIES]
    (folder / "movies.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def write_dat(folder):
    rows = "\n".join("::".join(map(str, row)) for row in RATINGS)
    (folder / "ratings.dat").write_text(rows + "\n")
    rows = "\n".join("::".join(map(str, row)) for row in MOVIES)
    (folder / "movies.dat").write_bytes((rows + "\n").encode("latin-1"))


def write_u(folder):
    rows = "\n".join("\t".join(map(str, row)) for row in RATINGS)
    (folder / "u.data").write_text(rows + "\n")
    lines = []
    for one, title, genres in MOVIES:
        bits = "|".join(str(int(name in genres.split("|"))) for name in U_ITEM_GENRES)
        lines.append(f"{one}|{title}|01-Jan-1995||http://x|{bits}")
    (folder / "u.item").write_bytes(("\n".join(lines) + "\n").encode("latin-1"))


LAYOUTS = {"csv": write_csv, "dat": write_dat, "u": write_u}


pytestmark = pytest.mark.usefixtures("forget")  # a cache of their own


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "set"
    made.mkdir()
    return made


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("packed", [False, True])
def test_each_layout_gives_the_same(folder, layout, packed):
    LAYOUTS[layout](folder)
    path = folder
    if packed:
        path = folder.parent / "ml-made.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("ml-made/README", "terms")
            for file in folder.iterdir():
                archive.write(file, f"ml-made/{file.name}")
                archive.write(file, f"ml-made/deeper/{file.name}")
    source = load_source(str(path))
    assert source.name == ("ml-made" if packed else "set")
    assert source.read_ratings().rows() == [(*row[:2], float(row[2]), row[3]) for row in RATINGS]
    assert source.movies["title"].to_list() == [
        "Toy Story",
        "Matrix, The",
        "Café Lumière",
        "No year",
    ]
    assert source.movies["release_date"].to_list() == ["1995", "1999", "2003", None]
    assert "Family" in source.movies["genres"][0]
    assert "Science Fiction" in source.movies["genres"][1]
    assert not source.has_votes
    dataset = join_movies(source)
    assert len(dataset.ratings) == len(RATINGS)
    assert dataset.table["movieId"].to_list() == [1, 2, 31, 40]


def test_movies_come_from_kaggles_metadata_where_that_is_at_hand(folder, monkeypatch):
    """The synthetic set, laid out as GroupLens's, joined through its links."""
    for name in ("ratings", "links"):
        text = (SYNTHETIC / f"{name}_small.csv").read_text()
        (folder / f"{name}.csv").write_text(text)
    (folder / "movies.csv").write_text("movieId,title,genres\n1,A (1990),Drama\n")
    monkeypatch.setattr(kaggle, "find", lambda: SYNTHETIC)
    ours = join_movies(load_source(str(folder)))
    theirs = join_movies(load_source(str(SYNTHETIC)))
    assert ours.source.has_votes
    for column in ("user", "movie", "stars", "time"):
        np.testing.assert_array_equal(
            getattr(ours.ratings, column), getattr(theirs.ratings, column)
        )
    assert ours.table.equals(theirs.table)


def test_a_set_without_links_is_joined_by_title_and_year():
    own = pl.DataFrame(
        {
            "movieId": [1, 2, 3, 4, 5],
            "title": ["Matrix, The", "Toy Story", "Twin", "Seven (a.k.a. Se7en)", "Alone"],
            "year": ["1999", "1995", "2000", "1995", None],
        }
    )
    metadata = pl.DataFrame(
        {
            "id": [603, 862, 11, 12, 807],
            "title": ["The Matrix", "Toy story!", "Twin", "Twin", "Seven"],
            "release_date": ["1999-03-30", "1995-10-30", "2000-01-01", "2000-05-05", "1995-09-22"],
        }
    )
    assert sorted(links_by_title(own, metadata).rows()) == [(1, 603), (2, 862), (4, 807)]


def test_a_set_whose_links_have_no_tmdb_id_is_joined_by_imdb_id(folder, monkeypatch):
    """As MovieTweetings made over into this layout is."""
    write_csv(folder)
    (folder / "links.csv").write_text("movieId,imdbId,tmdbId\n1,0114709,\n2,133093,\n31,,\n")
    kept = folder.parent / "kaggle"
    kept.mkdir()
    metadata = (
        f"{METADATA},imdb_id\n862,Toy Story,[],en,,,,7,9,tt0114709\n"
        "603,The Matrix,[],en,,,,8,9,tt0133093\n1997-08-20,Shifted,[],en,,,,,,0\n"
    )
    (kept / "movies_metadata.csv").write_text(metadata)
    monkeypatch.setattr(kaggle, "find", lambda: kept)
    source = load_source(str(folder))
    assert sorted(source.links.rows()) == [(1, 862), (2, 603)]
    assert join_movies(source).counts["ratings without a movie"] == 2


@pytest.mark.parametrize(
    ("layout", "name", "text", "message"),
    [
        ("dat", "ratings.dat", b"1::2::3\n", "has no column timestamp"),
        ("dat", "ratings.dat", b"1::2::3::4\nx::2::3::4\n", "line 2: userId is 'x'"),
        ("dat", "movies.dat", b"1::Toy Story (1995)\n", "line 1: has 2 cells"),
        ("u", "u.item", b"1|Toy Story\n", "line 1: has 2 cells"),
        ("u", "u.data", b"1\t2\t6\t978300760\n", "line 1: rating is '6'.*0.5, 1.0"),
        ("csv", "ratings.csv", b"userId,movieId\n1,1\n", "has no column of the rating"),
    ],
)
def test_what_cannot_be_read_is_named(folder, layout, name, text, message):
    LAYOUTS[layout](folder)
    (folder / name).write_bytes(text)
    with pytest.raises(InputError, match=message):
        load_source(str(folder)).read_ratings()


def test_a_zip_without_tables_and_one_too_large(folder, monkeypatch):
    path = folder / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("README", "no table")
    with pytest.raises(InputError, match=r"has no \.csv"):
        load_source(str(path))
    for data in (b"", b"PK\x03\x04 and then nothing", b"a,b\n"):
        path.write_bytes(data)
        with pytest.raises(InputError, match="not a readable zip file"):
            load_source(str(path))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../ratings.csv", bytes(10_000))
    monkeypatch.setattr(cache, "LARGEST_BYTES", 9_999)
    with pytest.raises(InputError, match="more than 9,999 bytes"):
        load_source(str(path))
    monkeypatch.setattr(cache, "LARGEST_BYTES", 10_000)
    assert [file.name for file in cache.unpacked(path).iterdir()] == ["ratings.csv"]  # and inside


def test_an_unpacking_that_was_stopped_leaves_nothing(folder, monkeypatch):
    write_dat(folder)
    path = folder / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.glob("*.dat"):
            archive.write(file, file.name)

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cache.shutil, "copyfileobj", stop)
    with pytest.raises(KeyboardInterrupt):
        cache.unpacked(path)
    monkeypatch.undo()
    monkeypatch.setenv("RECBENCH_CACHE", str(folder.parent / "cache"))
    assert not list((folder.parent / "cache" / "unpacked").iterdir())
    assert files_of(cache.unpacked(path)).ratings.name == "ratings.dat"
