"""The section about single users, from predictions.parquet."""

from __future__ import annotations

from recbench.keys import CELL
from recbench.report.html import users
from recbench.report.html.run_files import RunFiles
from recbench.report.html.section import Section

PREDICTIONS = "predictions.parquet"
BY_RATINGS, BY_POPULARITY = "held-out ratings of the user", "popularity of the user's movies"


def of_users(run: RunFiles) -> list[Section]:
    """How errors spread over users, and for whom a recommender is better."""
    file = run.folder / PREDICTIONS
    if not file.is_file():
        return []
    rows = users.scan(file)
    errors = users.errors_of_users(rows)
    quantiles = users.spread(errors)
    quantiles = quantiles[quantiles["model"].isin(run.models)]
    spread = Section(
        "users",
        "How errors spread over users",
        [
            "RMSE of single users: the box holds the middle half of them, its line is the median, "
            "and the whiskers reach to the 5th and 95th percentile."
        ],
        quantiles,
        {"spread": "Quantiles over users of the RMSE of each recommender"},
        ("cell",),
    )
    of_cells = run.differences.drop_duplicates(CELL)
    cells = of_cells[CELL].itertuples(index=False, name=None)
    references = dict(zip(cells, of_cells["reference"], strict=True))
    if not references:
        return [spread]
    key = [*CELL, "user_id"]
    held_out = errors.groupby(key)["held_out"].mean()
    popularity = users.popularity_of_movies(rows).set_index(key)["popularity"]
    groups = users.differences_by_group(
        errors, references, {BY_RATINGS: held_out, BY_POPULARITY: popularity}
    )
    for_whom = Section(
        "for-whom",
        "For whom a recommender is better",
        [
            "RMSE beside the reference in quarters of the users: by how many ratings of theirs "
            "were held out (the more a user has, the more are), and by how popular the movies are "
            "that they rated (the mean part of movies that fewer tested users have rated). Below "
            "the line: better than the reference. Bars are 95 % intervals over users, not "
            "corrected for their number: they show where to look, and are no test."
        ],
        groups,
        {
            "groups_ratings": "Difference from the reference by held-out ratings of the user",
            "groups_popularity": "Difference from the reference by popularity of the user's movies",
        },
        ("cell",),
    )
    return [spread, for_whom]
