"""Files of ratings, as they come, and what is no such file."""

import codecs
import io
import os
import zipfile

import pytest

from recbench.errors import InputError
from recbench.own_ratings.reading import read_ratings
from recbench.own_ratings.values import split_title, year_of

LETTERBOXD = (
    "Date,Name,Year,Letterboxd URI,Rating\n"
    "2021-03-05,Léon: The Professional,1994,https://boxd.it/1,4.5\n"
    '2020-01-02,"Good, the Bad and the Ugly 🤠, The",1966,https://boxd.it/2,0.5\n'
)
IMDB = (
    "Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,Year\r\n"
    'tt0110413,9,2019-02-03,"Léon, indeed",Léon,https://x,Movie,1994\r\n'
    "tt0903747,10,2019-02-04,Breaking Bad,Breaking Bad,https://x,TV Series,2008\r\n"
    "tt0078748,7,2018-02-04,Alien,Alien,https://x,tvMovie,1979\r\n"
)
MOVIELENS = "userId,movieId,rating,timestamp\n7,31,2.5,1260759144\n7,12,5.0,1260759100\n"


def written(tmp_path, content, name="ratings.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refused(path, *words, user=""):
    with pytest.raises(InputError) as error:
        read_ratings(path, user)
    for word in (str(path), *words):
        assert word in str(error.value), error.value
    return str(error.value)


def test_several_users(tmp_path):
    path = written(tmp_path, MOVIELENS + "8,31,4,1260759144\n")
    refused(path, "2 users (7, 8)", "--user ID")
    (rating,) = read_ratings(path, "8").ratings
    assert rating.stars == 4
    refused(path, "no such userId", "7, 8", user="9")
    refused(written(tmp_path, LETTERBOXD), "no column userId", user="7")


@pytest.mark.parametrize(
    "encoded",
    [
        lambda text: text.encode(),
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.replace(" 🤠", "").encode("cp1252"),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: b"\n\n" + text.encode() + b"\n\n",
        lambda text: text.replace("é", "e\u0301").encode(),
    ],
)
def test_encodings_and_line_ends(tmp_path, encoded):
    ratings = read_ratings(written(tmp_path, encoded(LETTERBOXD))).ratings
    assert [rating.title.replace(" 🤠", "") for rating in ratings] == [
        "Good, the Bad and the Ugly, The",
        "Léon: The Professional",
    ]


def test_rows_without_a_rating_are_counted(tmp_path):
    text = LETTERBOXD + "2021-03-05,Alien,1979,https://boxd.it/3,\n"
    assert read_ratings(written(tmp_path, text)).notes == (
        "rows left out, since they have no rating: 1",
    )


# --- exports of several files, and movies watched -------------------------------------------------

HEADING = "Date,Name,Year,Letterboxd URI"
WHOLE = {
    "ratings.csv": f"{HEADING},Rating\n2020-01-01,Heat,1995,x,3\n2022-02-02,Fargo,1996,x,2\n",
    "diary.csv": f"{HEADING},Rating,Rewatch,Tags,Watched Date\n"
    "2021-01-01,Heat,1995,y,4.5,Yes,,2009-01-01\n2021-01-02,Heat,1995,y,,Yes,,2021-01-01\n"
    "2022-02-02,Fargo,1996,y,5,,,2022-02-02\n2021-01-03,Up,2009,y,,,,2021-01-02\n",
    "watched.csv": f"{HEADING}\n2023-01-01,Heat,1995,x\n2020-01-01,Alien,1979,x\n",
    "watchlist.csv": f"{HEADING}\n2023-01-01,Jaws,1975,x\n",
    "reviews.csv": f'{HEADING},Rating,Review\n2024-01-01,Heat,1995,y,1,"<b>Bad</b>,\nbad"\n',
    "._ratings.csv": "\0",
    "deleted/diary.csv": f"{HEADING},Rating\n2024-01-01,Heat,1995,y,1\n",
}


def zipped(files, folder=""):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(folder + name, text)
    return content.getvalue()


def stars_of_each(file):
    return {rating.name: rating.stars for rating in file.ratings}


@pytest.mark.parametrize("folder", [None, "", "letterboxd-me-2025/"])
def test_a_whole_export(tmp_path, folder):
    """The latest rating counts; of two of one day, that of ratings.csv."""
    if folder is None:
        for name, text in WHOLE.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
    path = tmp_path if folder is None else written(tmp_path, zipped(WHOLE, folder), "me.zip")
    file = read_ratings(path)
    assert (file.kind, file.notes) == ("Letterboxd", ())
    assert stars_of_each(file) == {
        "Alien (1979)": None, "Up (2009)": None, "Heat (1995)": 4.5, "Fargo (1996)": 2
    }  # fmt: skip


TRAKT = '[{"plays": 2, "last_watched_at": "%s", "movie": {"title": "Up", "year": 2009}}]'


@pytest.mark.parametrize(
    ("name", "content", "stars"),
    [
        ("watched.csv", WHOLE["watched.csv"], {"Heat (1995)": None, "Alien (1979)": None}),
        ("history.csv", "Const,Title\ntt1,Alien\n", {"Alien": None}),
        ("x.csv", '"position","const","created","Title","Title type","You rated","Year"\n'
         '"1","tt0078748","Fri Jan 31 00:00:00 2014","Alien","Feature Film","8","1979"\n',
         {"Alien (1979)": 4}),  # IMDb's until 2017
        ("x.json", TRAKT % "2024-01-01T00:00:00.000Z", {"Up (2009)": None}),
        ("x.zip", zipped({"a/ratings-movies.json": "[]", "a/watched-movies.json": TRAKT % "",
                           "a/ratings-shows.json": TRAKT.replace("movie", "show")}),
         {"Up (2009)": None}),
        ("x.csv", "nameEng,year,rating\nAlien,1979,0\nHeat,1995,7\n",
         {"Alien (1979)": None, "Heat (1995)": 3.5}),
        ("x.csv", "title,year,my rating\nAlien (1979),,6.5\nHeat,1995,9.5\nUp,2009,-\n",
         {"Alien (1979)": 3, "Heat (1995)": 5}),
        ("x.csv", "imdb,score\n78748,0\nhttps://www.imdb.com/title/tt0113277/,3.5\n",
         {"tt0078748": 0.5, "tt0113277": 3.5}),
    ],
)  # fmt: skip
def test_watched_movies_and_other_tables(tmp_path, name, content, stars):
    assert stars_of_each(read_ratings(written(tmp_path, content, name))) == stars


def test_the_scale_of_a_table(tmp_path):
    path = written(tmp_path, "title,year,rating\nAlien,1979,4\n")
    for scale, stars in ((0, 4), (5, 4), (10, 2), (100, 0.5)):
        (rating,) = read_ratings(path, scale=scale).ratings
        assert rating.stars == stars
    path = written(tmp_path, "title,year,rating\nAlien,1979,4\nHeat,1995,7\n")
    with pytest.raises(InputError, match=r"line 3: the rating is '7'\. Expected .* from 0 to 5"):
        read_ratings(path, scale=5)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ("is empty",)),
        (zipped({"x.png": ""}), ("ZIP file without ratings", "Expected ratings.csv")),
        (zipped({"a.csv": "", "b.csv": ""}), ("ZIP file without ratings",)),
        (zipped(WHOLE)[:-9], ("is no ZIP file that can be read",)),
        (zipped(WHOLE)[:-6] + b"\xff\xff\xff\x7f\0\0", ("is no ZIP file that can be read",)),
        (zipped({"ratings.csv": "movieId,rating\n1,9\n"}), ("ratings.csv, line 2",)),
        ("title,year,rating\nAlien,1979,good\n", ("line 2", "'good'", "a number from 0 to 5")),
        ("title,year,rating\nAlien,1979,300\n", ("line 2", "'300'", "from 0 to 100")),
        ("title,my rating,isbn\nAlien,3,1\n", ("of no known kind", "title, my rating, isbn")),
        ('[{"movie": ', ("is not valid JSON",)),
        ('{"movies": []}', ("is not a list of ratings",)),
        (
            '[{"type": "show", "rating": 3, "show": {"title": "Up", "year": 9}}]',
            ("holds no ratings", "1 show"),
        ),
        ("userId,movieId,rating\n", ("holds no ratings",)),
        (
            "a,b\n1,2\n",
            ("columns are a, b", "MovieLens", "Letterboxd", "IMDb", "titles and years"),
        ),
        ("just one line", ("columns are just one line",)),
        (MOVIELENS + "7,1,8,1260759144\n", ("line 4", "'8'", "0.5, 1.0, 1.5 .. 5.0")),
        (MOVIELENS + "7,1,nan,1260759144\n", ("line 4", "'nan'")),
        (MOVIELENS + "7,x,3,1260759144\n", ("line 4", "movieId is 'x'", "a whole number")),
        (MOVIELENS + "7,1_0,3,1260759144\n", ("line 4", "movieId is '1_0'")),
        (MOVIELENS + f"7,{'9' * 20},3,1260759144\n", ("line 4", "18 digits at most")),
        (",,,\n", ("is empty",)),
        (MOVIELENS.replace("2.5", '"2.5'), ("cannot be read", "an unclosed quote")),
        ("movieId,rating\n1,4,5\n", ("line 2", "3 cells, the header 2", "in quotes")),
        (
            "Date,Name,Year,Letterboxd URI\n2021-03-05,Alien,1979,x\n",
            ("has no ratings", "no column such as Rating", "ratings.csv"),
        ),
        ("Position,Const,Title\n1,tt1,A\n", ("no column such as Rating", "export of your ratings")),
        ("movieId,title,genres\n1,A (1990),x\n", ("no column such as Rating", "ratings.csv")),
        (IMDB + "tt1,11,2019-01-01,A,A,u,Movie,1990\r\n", ("line 5", "'11'", "1 to 10")),
        (IMDB + "tt1,4.5,2019-01-01,A,A,u,Movie,1990\r\n", ("line 5", "'4.5'")),
        (LETTERBOXD + "2021-03-05,,1979,https://boxd.it/3,4\n", ("line 4", "no title and no id")),
        (LETTERBOXD + "2021-03-05,Alien,1979,https://boxd.it/3,10\n", ("line 4", "'10'")),
        (IMDB[: IMDB.index("tt")] + "tt1,9,,A,A,u,TV Series,2000\r\n", ("no ratings", "1 TV")),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, ("is not text",)),
        (bytes((7 * k * k + 3 * k) % 251 for k in range(3000)), ("is not text",)),
        (b"PK\x03\x04rest of a zip", ("is no ZIP file that can be read",)),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, content, words):
    refused(written(tmp_path, content), *words)


def test_what_is_no_file(tmp_path):
    refused(tmp_path, "is a folder")
    refused(tmp_path / "none.csv", "no such file")
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "no ordinary file")


def test_years_and_titles():
    assert year_of("2019–2021") == 2019
    assert year_of("0") is None
    assert split_title("Alien (1979)") == ("Alien", 1979)
    assert split_title("2001: A Space Odyssey (1968)") == ("2001: A Space Odyssey", 1968)
    assert split_title("(500) Days of Summer") == ("(500) Days of Summer", None)
    assert split_title("Room (1408)") == ("Room (1408)", None)
