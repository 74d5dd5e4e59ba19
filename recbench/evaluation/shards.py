"""A large cell in parts, for recommenders that learn each user apart from all others.

`write_parts` makes a folder of plain files, whole or not at all:

    movies.parquet        the movies, their bits, and the item baseline
    ratings-<part>.parquet   training and test ratings of some users, 0 the first
    item_table-<k>.npz    item tables; fold.npy: which is for whom
    <model>.of_all.npz    what a recommender learned from all users together
    about.json            what else belongs to the cell

Whoever has the folder can fit a recommender to a part (`read_part`), and needs nothing else: no
dataset, no other part. Users keep their numbers, so a random number that follows from a user's is
the same. `whole` puts together what was said of each part, in the order of the cell's test ratings.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import polars as pl

from recbench.contract import OfAll, declared
from recbench.evaluation.cells import Cell
from recbench.evaluation.holdouts import Split
from recbench.evaluation.measure import Predicted
from recbench.keys import in_file_name
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.table import ItemTables
from recbench.ratings import Movies, Ratings

COLUMNS = tuple(Ratings.__annotations__)
NOBODY = Ratings(*(np.empty(0) for _ in COLUMNS))


@dataclass(frozen=True)
class PartOfCell:
    """Some users of a cell.

    Attributes:
        cell: of their ratings alone, with the movies, item baseline and item tables of the whole.
        of_all: what the recommender learned from all users.
        mean_stars: of all training ratings of the whole.
    """

    cell: Cell
    of_all: OfAll
    mean_stars: float


def number_of_parts(folder: Path, users: int, models: Iterable[str]) -> int:
    """How many parts of so many users there are in `folder` for these models; 0: it was not written
    for them."""
    about = folder / "about.json"
    if not about.exists() or not all(_of_all(folder, one).exists() for one in models):
        return 0
    written = json.loads(about.read_text())
    return written["parts"] if written["users"] == users else 0


def write_parts(cell: Cell, users: int, models: dict[str, Any], folder: Path) -> int:
    """Write the cell in parts of so many users; how many parts.

    Args:
        models: recommenders, not fitted, by name.
    """
    scratch = folder.with_name(f"{folder.name}.{uuid4().hex}")
    scratch.mkdir(parents=True)
    parts = _write(cell, users, models, scratch)
    if not number_of_parts(folder, users, models):  # written for others
        shutil.rmtree(folder, ignore_errors=True)
    try:
        os.rename(scratch, folder)
    except OSError:  # another worker has written the same; parts of it may be being read
        shutil.rmtree(scratch)
    return parts


def of_all_of(model: Any, cell: Cell) -> OfAll:
    """What a recommender learns from all users of a cell together.

    Raises:
        TypeError: it is not arrays of numbers.
        others: whatever a class of one's own raises.
    """
    if not hasattr(model, "of_all_users"):  # a class of one's own need not
        return {}
    baseline = [cell.item_baseline] if declared(model, "starts_from_item_baseline") else []
    of_all: OfAll = model.of_all_users(cell.personal.train, cell.movies, *baseline)
    for name, value in of_all.items():
        if np.asarray(value).dtype == object:
            raise TypeError(f"of_all_users gives '{name}', which is no array of numbers")
    return of_all


def _write(cell: Cell, users: int, models: dict[str, Any], folder: Path) -> int:
    movies, split = cell.movies, cell.personal
    facts = {
        "movie_id": movies.movie_id,
        "title": pl.Series(movies.title.tolist(), dtype=pl.String),
        "vote_average": movies.vote_average,
        "vote_count": movies.vote_count,
        "item_baseline": cell.item_baseline.stars,
        "bits": movies.bits,
    }
    pl.DataFrame(facts).write_parquet(folder / "movies.parquet")
    for name, model in models.items():
        np.savez(_of_all(folder, name), allow_pickle=False, **of_all_of(model, cell))
    if any(declared(model, "starts_from_item_table") for model in models.values()):
        cell.personal_tables.save(folder)
    parts = -(-cell.n_users // users)
    of_part = [_in_parts(one, users, parts) for one in (split.train, split.test)]
    for part, (train, test) in enumerate(zip(*of_part, strict=True)):
        frames = [_frame(train, held_out=False), _frame(test, held_out=True)]
        pl.concat(frames).write_parquet(folder / f"ratings-{part}.parquet")
    about = {
        "parts": parts,
        "users": users,
        "bit_names": movies.bit_names,
        "mean_stars": split.train.mean_stars(),
        "seed": cell.seed,
    }
    (folder / "about.json").write_text(json.dumps(about))
    return parts


def read_part(folder: Path, part: int, model: str) -> PartOfCell:
    """One part, for the recommender of that name."""
    about = json.loads((folder / "about.json").read_text())
    facts = pl.read_parquet(folder / "movies.parquet", glob=False)
    movies = Movies(
        bits=facts["bits"].to_numpy(),
        bit_names=tuple(about["bit_names"]),
        vote_average=facts["vote_average"].to_numpy(),
        vote_count=facts["vote_count"].to_numpy(),
        movie_id=facts["movie_id"].to_numpy(),
        title=facts["title"].to_numpy(),
    )
    ratings = pl.read_parquet(folder / f"ratings-{part}.parquet", glob=False)
    train, test = (
        Ratings(
            *(ratings.filter(pl.col("held_out") == held_out)[one].to_numpy() for one in COLUMNS)
        )
        for held_out in (False, True)
    )
    split = Split(train, test, NOBODY)
    cell = Cell(
        movies=movies,
        candidates=np.empty(0, dtype=np.int64),
        item_baseline=ItemBaseline(facts["item_baseline"].to_numpy()),
        personal=split,
        collaborative=split,
        user_id=np.empty(0, dtype=np.int64),
        n_background_users=0,
        seed=about["seed"],
    )
    tables = ItemTables.load(folder)
    if tables is not None:
        cell.__dict__["personal_tables"] = tables
    with np.load(_of_all(folder, model), allow_pickle=False) as file:
        of_all = {name: file[name] for name in file.files}
    return PartOfCell(cell, of_all, about["mean_stars"])


def save_predicted(said: Predicted, file: Path) -> None:
    """What was said of a part, whole or not at all."""
    columns: dict[str, Any] = {"stars": said.stars, "covered": said.covered}
    if said.ones is not None:
        columns["ones"] = said.ones
    if said.probabilities is not None:
        columns["probabilities"] = said.probabilities
    about = {
        "grid": None if said.grid is None else np.asarray(said.grid).tolist(),
        "fit_seconds": said.fit_seconds,
        "predict_seconds": said.predict_seconds,
        "state_bytes": said.state_bytes,
        "shared_bytes": said.shared_bytes,
        "notes": said.notes,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_suffix(f".{uuid4().hex}")
    frame, metadata = pl.DataFrame(columns), {"about": json.dumps(about)}
    frame.write_parquet(scratch, compression="zstd", metadata=metadata)
    os.replace(scratch, file)


def whole(files: list[Path], cell: Cell, users: int) -> Predicted:
    """What was said of all parts, together.

    Args:
        files: of `save_predicted`, of part 0, 1 ...
        cell: the whole.
        users: of each part.
    """
    part_of = cell.personal.test.user // users
    back = np.argsort(np.argsort(part_of, kind="stable"), kind="stable")
    said = pl.concat([pl.read_parquet(file, glob=False) for file in files])
    about = [json.loads(pl.read_parquet_metadata(file)["about"]) for file in files]
    sizes, shared = ([one[name] for one in about] for name in ("state_bytes", "shared_bytes"))

    def column(name: str) -> Any:
        return said[name].to_numpy()[back] if name in said.columns else None

    grid = about[0]["grid"]
    return Predicted(
        stars=column("stars"),
        covered=column("covered"),
        ones=column("ones"),
        grid=None if grid is None else np.array(grid),
        probabilities=column("probabilities"),
        ranked=None,
        fit_seconds=sum(one["fit_seconds"] for one in about),
        predict_seconds=sum(one["predict_seconds"] for one in about),
        ranking_seconds=None,
        state_bytes=None if None in sizes else sum(sizes),
        shared_bytes=None if None in shared else max(shared),
        notes=sum((Counter(one["notes"]) for one in about), Counter()),
    )


def _of_all(folder: Path, model: str) -> Path:
    return folder / f"{in_file_name(model)}.of_all.npz"


def _in_parts(ratings: Ratings, users: int, parts: int) -> list[Ratings]:
    """The ratings of users 0 .. users − 1, of the next so many, and so on; each in their order."""
    part = ratings.user // users
    order = np.argsort(part, kind="stable")
    cuts = np.searchsorted(part[order], np.arange(1, parts))
    return [ratings.take(rows) for rows in np.split(order, cuts)]


def _frame(ratings: Ratings, held_out: bool) -> pl.DataFrame:
    columns = {name: getattr(ratings, name) for name in COLUMNS}
    return pl.DataFrame(columns).with_columns(held_out=pl.lit(held_out))
