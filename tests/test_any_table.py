"""A table of ratings as somebody has it: read as meant, or refused with file, line and remedy."""

import re
import zipfile

import numpy as np
import pandas as pd
import polars as pl
import pytest
from in_process import run_here

import compare_all
from recbench.data import datasets, loading
from recbench.data.any_table import read_table
from recbench.data.dataset import join_movies
from recbench.data.encodings.movies import encode_movies
from recbench.data.loading import load_dataset
from recbench.data.scales import Scale, TableFlags, split_flags, with_flags
from recbench.errors import InputError

USERS, ITEMS = ["ann", "Bob", "007"], ["x1", "é", "42"]
ROWS = [("ann", "x1", 4.0, 1_431_684_000), ("Bob", "é", 2.5, 1_431_684_001)]
ROWS += [("007", "42", 5.0, 1_431_734_400), ("ann", "42", 0.5, 1_431_684_003)]
ISO = ["2015-05-15T10:00:00Z", "2015-05-15T12:00:01+02:00", "2015-05-16"]
ISO += ["2015-05-15 10:00:03.000Z"]

pytestmark = pytest.mark.usefixtures("forget")  # a cache of their own


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "mine"
    made.mkdir()
    return made


def read(file, **flags):
    """user, item, stars and time of each rating, by the ids of the file."""
    source = read_table(file, "mine", TableFlags(**flags))
    ratings = source.read_ratings()
    item = source.movies["item"] if "item" in source.movies.columns else source.movies["id"]
    items = dict(zip(source.movies["id"], item, strict=True))
    users = {one: one for one in ratings["userId"]}
    users |= dict(source.users.rows()) if source.users is not None else {}
    return [(users[u], items[i], stars, time) for u, i, stars, time in ratings.rows()]


def frame(heading=("userId", "itemId", "rating", "timestamp"), time=None):
    rows = [(*row[:3], row[3] if time is None else time[k]) for k, row in enumerate(ROWS)]
    return pd.DataFrame(rows, columns=list(heading))


WRITERS = {
    "ratings.csv": lambda f, to: f.to_csv(to, index=False),
    "bom.csv": lambda f, to: f.to_csv(to, index=False, encoding="utf-8-sig", lineterminator="\r\n"),
    "ratings.tsv": lambda f, to: f.to_csv(to, index=False, sep="\t"),
    "semicolons.csv": lambda f, to: f.to_csv(to, index=False, sep=";", decimal=",", quoting=1),
    "bars.txt": lambda f, to: f.to_csv(to, index=False, sep="|"),
    "ratings.dat": lambda f, to: to.write_text(
        f.to_csv(index=False, sep="\t").replace("\t", "::"), encoding="utf-8"
    ),
    "ratings.parquet": lambda f, to: f.to_parquet(to),
    "ratings.jsonl": lambda f, to: f.to_json(to, orient="records", lines=True),
    "list.json": lambda f, to: f.to_json(to, orient="records"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_each_kind_of_file_gives_the_same(folder, name):
    WRITERS[name](frame(), folder / name)
    assert read(folder / name) == ROWS


@pytest.mark.parametrize(
    "heading",
    [
        ("User-ID", "ISBN", "Book-Rating", "Timestamp"),
        ("USER_ID", "book_id", "Stars", "Date"),
        ("reviewerID", "asin", "overall", "unixReviewTime"),
        ("user", "wine_id", "score", "created at"),
    ],
)
def test_columns_are_found_by_name_in_any_order(folder, heading):
    table = frame(heading)[[heading[k] for k in (3, 1, 0, 2)]].assign(review="...")
    table.to_csv(folder / "ratings.csv", index=False)
    assert read(folder / "ratings.csv") == ROWS


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16"])
def test_a_declared_encoding(folder, encoding):
    file = folder / "ratings.csv"
    frame().to_csv(file, index=False, sep=";", encoding=encoding)
    assert read(file, text_encoding=encoding) == ROWS
    with pytest.raises(InputError, match=r"ratings\.csv.* is not text.*--text-encoding"):
        read(file)


@pytest.mark.parametrize("parts", [1, 10**3, 10**6, 10**9, "iso"])
def test_times_of_any_kind(folder, parts):
    frame(time=[20150515, 20150515, 20150516, 20150517]).to_csv(folder / "days.csv")
    days = [1_431_648_000 + 86_400 * day for day in (0, 0, 1, 2)]
    assert [row[3] for row in read(folder / "days.csv")] == days
    times = ISO if parts == "iso" else [row[3] * parts for row in ROWS]
    frame(time=times).to_csv(folder / "ratings.csv", index=False)
    assert read(folder / "ratings.csv") == ROWS
    frame(time=times).to_parquet(folder / "ratings.parquet")
    assert read(folder / "ratings.parquet") == ROWS


def test_ids_that_are_whole_numbers_are_numbers_and_others_stay_texts(folder):
    file = folder / "ratings.csv"
    file.write_text("user,item,rating\n1,0042,3\n22,42,4\n")
    assert read(file) == [(1, "0042", 3.0, -1), (22, "42", 4.0, -1)]
    of_file = read_table(file, "mine", TableFlags())
    file.write_text("user,item,rating\n22,42,4\n1,0042,3\n9,7,3\n")
    other = read_table(file, "mine", TableFlags())  # the number of a text is its own
    assert (
        dict(of_file.movies.select("item", "id").rows()).items()
        <= dict(other.movies.select("item", "id").rows()).items()
    )


@pytest.mark.parametrize(
    ("scale", "cells", "stars"),
    [
        ("0-10", [0, 5, 10], [0.5, 2.75, 5]),
        ("1-10", [1, 5, 10], [0.5, 2.5, 5]),
        ("-10-10", [-10, 0, 10], [0.5, 2.75, 5]),
        ("0..100", [0, 50, 100], [0.5, 2.75, 5]),
        ("-1 to 1", [-1, 0, 1], [0.5, 2.75, 5]),
        ("1-5.5", [1, 1.5, 5.5], [0.5, 1, 5]),
    ],
)
def test_a_scale_is_mapped_linearly(folder, scale, cells, stars):
    table = frame().head(3).assign(rating=cells)
    table.to_csv(folder / "ratings.csv", index=False)
    assert [row[2] for row in read(folder / "ratings.csv", scale=scale)] == stars
    low, high = cells[0], cells[-1]
    assert Scale.parse(scale).unit == pytest.approx((high - low) / 4.5)


@pytest.mark.parametrize("missing", ["0", "0.0", "NA", ""])
def test_what_stands_for_no_rating_is_left_out_and_counted(folder, missing):
    cell = missing if missing in ("NA", "") else 0
    table = frame().assign(rating=[8, cell, cell, 10])
    table.to_csv(folder / "ratings.csv", index=False)
    flags = TableFlags(scale="0-10", missing=missing)
    source = read_table(folder / "ratings.csv", "mine", flags)
    assert source.read_ratings()["rating"].to_list() == pytest.approx([4.1, 5.0])
    assert source.counts == {"ratings missing": 2}
    assert "2 ratings (2 missing left out) of 2 items by 1 users" in source.description


HEAD = "user,item,rating,time\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (HEAD, "holds no ratings"),
        ("user,rating\n1,3\n", "no column of the item; its header is user, rating.*rename"),
        ("item,rating\n1,3\n", "no column of the user.*recommend.py"),
        ("1,2,3\n4,5,6\n", "first row is not a header"),
        (HEAD + "1,2,3,4\n\n1,,3,4\n", "line 4: item is empty. Expected an item"),
        (HEAD + "1,2,good,4\n", "line 2: rating is 'good'. Expected a number"),
        (HEAD + "1,2,,4\n", "line 2: rating is empty"),
        (HEAD + "1,2,nan,4\n", "line 2: rating is 'nan'"),
        (HEAD + "1,2,3,4\n1,3,3,31.12.2024\n", "line 3: time is '31.12.2024'. Expected a date"),
        (HEAD + "1,2,3,4\n1,3,3,\n", "line 3: time is empty"),
        (HEAD + "1,2,0,4\n1,3,9,4\n", "rating runs from 0 to 9.*--scale 0-9.*--missing"),
        (HEAD + "1,2,-3,4\n1,3,3,4\n", r"rating runs from -3 to 3.*--scale -3-3"),
        (HEAD + '1,2,3,4\n1,"3,3,4\n', "line 3: a quote"),
        (HEAD + "1,2,3,4\n1,3,3,4,5\n", "line 3: has 5 cells"),
    ],
)
def test_what_cannot_be_used_names_file_line_and_remedy(folder, text, message):
    file = folder / "ratings.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        read(file)
    assert "ratings.csv" in str(error.value)


@pytest.mark.parametrize(
    ("name", "text"), [("x.parquet", "no"), ("x.jsonl", '{"user": 1\n'), ("x.json", "[1, 2]")]
)
def test_a_file_that_is_damaged(folder, name, text):
    (folder / name).write_text(text)
    with pytest.raises(InputError, match=rf"{name}: is not a readable table"):
        read(folder / name)


def test_a_rating_off_the_scale_given_names_its_line(folder):
    (folder / "ratings.csv").write_text(HEAD + "1,2,10,4\n1,3,11,4\n")
    with pytest.raises(InputError, match=r"line 3: rating is '11'. Expected 0 to 10, as --scale"):
        read(folder / "ratings.csv", scale="0-10")


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ("x.csv?scale=ten", "--scale is 'ten'"),
        ("x.csv?scale=5-5", "--scale is '5-5'"),
        ("x.csv?text_encoding=klingon", "--text-encoding is 'klingon'"),
        ("x.csv?colour=red", "after the . there is 'colour=red'"),
        ("ml-100k?scale=0-10", "ml-100k takes no --scale"),
        ("nowhere.csv", "no such folder or file"),
    ],
)
def test_flags_that_cannot_be(dataset, message):
    with pytest.raises(InputError, match=message):
        datasets.locate(dataset)


def test_flags_go_with_the_name(folder):
    flags = TableFlags(scale="-10-10", missing="99")
    text = with_flags("a b/x.csv", flags)
    assert split_flags(text) == ("a b/x.csv", flags)
    assert with_flags("x.csv", TableFlags()) == "x.csv"
    frame().to_csv(folder / "what?.csv", index=False)
    assert split_flags(f"{folder}/what?.csv") == (f"{folder}/what?.csv", TableFlags())


def test_the_only_table_of_a_folder_or_zip_file(folder, forget):
    frame(("User-ID", "ISBN", "Book-Rating", "Date")).to_csv(folder / "BX-Book-Ratings.csv")
    (folder / "BX-Users.csv").write_text("User-ID;Age\nann;7\n")
    assert load_dataset(str(folder)).source.name == "mine/BX-Book-Ratings"
    with zipfile.ZipFile(folder.parent / "bx.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    packed = load_dataset(str(folder.parent / "bx.zip"))
    assert packed.source.name == "bx"
    assert len(packed.ratings) == len(ROWS)
    (folder / "ratings2.csv").write_text("")
    forget()
    with pytest.raises(InputError, match=r"has BX-Book-Ratings\.csv, ratings2\.csv.*Give the file"):
        datasets.locate(str(folder))


MOVIES = {
    "movies.csv": 'movieId,title,genres\nx1,"Matrix, The (1999)",Action|Sci-Fi\n42,Alone,Drama\n',
    "items.tsv": "itemId\tname\tyear\tgenre\nx1\tMatrix, The\t1999\tAction, Sci-Fi\n"
    "42\tAlone\t\tDrama\n",
}


@pytest.mark.parametrize("name", MOVIES)
def test_features_come_from_a_table_beside(folder, name):
    frame().to_csv(folder / "ratings.csv", index=False)
    (folder / name).write_text(MOVIES[name])
    source = read_table(folder / "ratings.csv", "mine", TableFlags())
    assert f"from {name}" in source.description
    rows = {row["item"]: row for row in source.movies.rows(named=True)}
    assert rows["x1"]["title"] == "Matrix, The"
    assert rows["x1"]["release_date"] == "1999"
    assert "Science Fiction" in rows["x1"]["genres"]
    assert "Drama" in rows["42"]["genres"]
    assert rows["é"]["title"] == "é"  # not in the table: its ratings stay
    assert source.has_features
    assert len(join_movies(source).ratings) == len(ROWS)


def test_book_crossings_table_of_books(folder):
    """Latin-1, quotes with a backslash before them, and a line with a cell too many."""
    ratings = '"User-ID";"ISBN";"Book-Rating"\n"1";"034500924X";"7"\n"2";"0345";"0"\n'
    books = (
        '"ISBN";"Book-Title";"Year-Of-Publication"\n"034500924X";"The \\"real\\"; Joné";"1999"\n'
        '"0345";"too";"many";"cells"\n'
    )
    (folder / "BX-Book-Ratings.csv").write_bytes(ratings.encode("latin-1"))
    (folder / "BX-Books.csv").write_bytes(books.encode("latin-1"))
    flags = TableFlags(scale="0-10", missing="0", text_encoding="latin-1")
    source = read_table(folder / "BX-Book-Ratings.csv", "mine", flags)
    assert source.movies["title"].to_list() == ['The "real"; Joné']
    assert source.movies["release_date"].to_list() == ["1999"]
    assert "BX-Books.csv (1 of its lines cannot be read)" in source.description


def test_goodbooks_table_of_books(folder):
    (folder / "ratings.csv").write_text("user_id,book_id,rating\n1,258,5\n2,4081,4\n")
    heading = "book_id,goodreads_book_id,isbn,original_publication_year,original_title,title,"
    (folder / "books.csv").write_text(
        f"{heading}language_code,average_rating\n"
        '258,3,439023483,2008.0,Hunger,"The Hunger Games (The Hunger Games, #1)",eng,4.3\n'
        "4081,9,,-720.0,,Odyssey,ger,3.7\n"
    )
    movies = read_table(folder / "ratings.csv", "mine", TableFlags()).movies
    assert movies["title"].to_list() == ["The Hunger Games (The Hunger Games, #1)", "Odyssey"]
    assert movies["release_date"].to_list() == ["2008", None]
    assert movies["original_language"].to_list() == ["en", "de"]


def test_without_features_there_are_no_bits(folder):
    frame().to_csv(folder / "ratings.csv", index=False)
    data = load_dataset(str(folder / "ratings.csv"))
    for encoding in ("published", "extended", "learned"):
        movies = encode_movies(data, encoding=encoding, background=np.ones(data.n_users, bool))
        assert movies.bits.shape == (3, 0)
        assert movies.vote_count.sum() == len(ROWS)


def test_a_large_table_is_kept_joined_with_all_that_was_understood(
    folder, monkeypatch, capsys, forget
):
    monkeypatch.setattr(loading, "LARGE", 0)
    file = folder / "ratings.csv"
    frame().assign(rating=[0, 3, 7, 10]).to_csv(file, index=False)
    loaded, printed = [], []
    for text in [f"{file}?scale=0-10"] * 2 + [f"{file}?scale=0-20"]:
        forget()
        loaded.append(load_dataset(text))
        printed.append(capsys.readouterr().out)
    made, kept, other = loaded
    assert made.cached_in == kept.cached_in != other.cached_in
    assert kept.source.description in printed[1]
    for name in ("unit", "description"):
        assert getattr(made.source, name) == getattr(kept.source, name)
    assert made.source.users.equals(kept.source.users)
    assert sorted(kept.ratings.stars) == pytest.approx([0.5, 1.85, 3.65, 5.0])
    ids = pd.DataFrame({"user_id": kept.user_id, "movie_id": kept.table["movieId"].to_numpy()})
    assert set(kept.with_own_ids(ids)["user"]) == set(USERS)
    assert set(kept.with_own_ids(ids)["item"]) == set(ITEMS)


# --- a run -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def jokes(tmp_path_factory):
    """Ratings from -10 to 10 without times, and nothing known of the items."""
    rng = np.random.default_rng(0)
    file = tmp_path_factory.mktemp("data") / "jokes.tsv"
    users, items = np.divmod(rng.choice(40 * 30, 700, replace=False), 30)
    columns = {"user": [f"u{n}" for n in users], "item": [f"j{n}" for n in items]}
    pl.DataFrame({**columns, "rating": rng.uniform(-10, 10, 700).round(2)}).write_csv(
        file, separator="\t"
    )
    return file


def run(jokes, *words, cwd):
    words = ["--dataset", jokes, "--cells", "0x0", "--iterations", 1, "--workers", 1, *words]
    return run_here(compare_all, *words, cwd=cwd)


def test_a_run_on_jokes(jokes, tmp_path):
    """With errors on both scales; who needs bits is left out, and that is said."""
    words = ["--scale=-10-10", "--models", "ao", "torch", "user_mean", "bias", "personal"]
    words += ["--output-dir", tmp_path / "run", "--holdout", "random"]
    status, printed, errors = run(jokes, *words, cwd=tmp_path)
    assert status == 0, errors
    printed = " ".join(printed.split())
    assert (
        "jokes.tsv: user user, item item, rating rating (-10-10, as 0.5-5 stars), no times; "
        in printed
    )
    assert "700 ratings of 30 items by 40 users" in printed
    assert "left out, ao, torch: the dataset has no features" in printed
    rows = pd.read_csv(tmp_path / "run" / "comparison.csv")
    assert rows["model"].tolist() == ["user_mean", "bias", "personal"]
    assert (rows["status"] == "ok").all()
    for name in ("rmse", "mae"):
        np.testing.assert_allclose(rows[f"{name}_original"], rows[name] * 20 / 4.5)
    predictions = pd.read_parquet(tmp_path / "run" / "predictions.parquet")
    assert predictions["user"].str.fullmatch(r"u\d+").all()
    assert predictions["item"].str.fullmatch(r"j\d+").all()
    assert "a star is 4.444 on the scale" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "error: .*jokes.tsv: rating runs from -10 to 9.*--scale -10-10"),
        (("--scale=-10-10",), "--holdout last: the ratings have no times.*--holdout random"),
        (("--scale=-10-10", "--holdout", "global-time"), "no times.*--holdout random"),
        (
            ("--scale=-10-10", "--holdout", "random", "--models", "ao"),
            "ao: the dataset has no features",
        ),
    ],
)
def test_what_a_run_on_jokes_refuses(jokes, tmp_path, words, message):
    status, _, errors = run(jokes, *words, cwd=tmp_path)
    assert status == 2
    assert re.search(message, errors), errors
