"""Makes the small synthetic set beside it, in the layout of Kaggle's files: python make.py

60 users, 150 movies. A user's stars are the movie's quality, plus the user bias, plus the user's
liking of its genres, plus noise, rounded to half stars. MovieLens ids and TMDB ids are two orders
of the same numbers, so that joining them directly finds another movie every time.
"""

from pathlib import Path

import numpy as np
import pandas as pd

USERS, MOVIES = 60, 150
GENRES = ["Drama", "Comedy", "Action", "Romance", "Thriller", "Horror", "Western"]
LANGUAGES = ["en"] * 7 + ["fr", "de", "xx"]
HERE = Path(__file__).parent

rng = np.random.default_rng(20240601)
movie_id = np.arange(1, MOVIES + 1)
tmdb_id = np.roll(movie_id, 41)
quality = rng.normal(6.2, 1.1, MOVIES).clip(1, 9.5)
has_genre = rng.random((MOVIES, len(GENRES))) < 0.3
votes = np.exp(rng.normal(5, 1.5, MOVIES)).astype(int)

movies = pd.DataFrame(
    {
        "id": tmdb_id,
        "title": [f"Movie {number}" for number in movie_id],
        "genres": [
            str([{"id": int(place), "name": GENRES[place]} for place in np.flatnonzero(row)])
            for row in has_genre
        ],
        "original_language": rng.choice(LANGUAGES, MOVIES),
        "release_date": [f"{year}-06-01" for year in rng.integers(1940, 2016, MOVIES)],
        "runtime": rng.integers(70, 180, MOVIES).astype(float),
        "belongs_to_collection": "",
        "vote_average": (quality + rng.normal(0, 0.3, MOVIES)).round(1).clip(0.5, 10),
        "vote_count": votes,
    }
)
movies.to_csv(HERE / "movies_metadata.csv", index=False)
links = pd.DataFrame({"movieId": movie_id, "imdbId": 100_000 + movie_id, "tmdbId": tmdb_id})
links.to_csv(HERE / "links_small.csv", index=False)

rows = []
for person in range(1, USERS + 1):
    seen = rng.choice(MOVIES, rng.integers(20, 90), replace=False, p=votes / votes.sum())
    leaning = rng.normal(0, 0.4)
    taste = rng.normal(0, 0.6, len(GENRES))
    liking = quality[seen] / 2 + leaning + has_genre[seen] @ taste + rng.normal(0, 0.4, len(seen))
    stars = (2 * liking).round().clip(1, 10) / 2
    when = 1_000_000_000 + np.cumsum(rng.integers(0, 100_000, len(seen)))
    rows += zip([person] * len(seen), movie_id[seen], stars, when, strict=True)
ratings = pd.DataFrame(rows, columns=["userId", "movieId", "rating", "timestamp"])
ratings.to_csv(HERE / "ratings_small.csv", index=False)
print(f"{len(ratings):,} ratings of {USERS} users, {MOVIES} movies")
