"""Every recommender on every cell of the grid -> results/<run>/.

A cell is a number of users and a number of ratings per user. For each cell and iteration, users
are drawn and some of their ratings held out; each recommender learns from the others and predicts
the held-out ones. docs/evaluation.md explains the files of a run.

    python compare_all.py --quick
    python compare_all.py
    python compare_all.py --num-users 100 --ratings-per-user 25 100 --models ao torch
    python compare_all.py --models ao my_file:MyModel --protocol published
"""

from __future__ import annotations

# What most people change; each is the default of the flag of that name.
DATASET = "auto"  # Kaggle's if available, else ml-100k; also ml-1m .., a file of ratings
NUM_USERS = 250  # users of a cell, drawn at random; 0: all; several: [100, 250]
REVIEWS_PER_USER = [5, 10, 25, 100, 200]  # ratings of each user, a cell for each number; 0: all
ITERATIONS = 5  # repetitions of each cell, with other users each time
MODELS = [  # see --list-models; or one of your own as my_file:MyModel
    "ao", "torch", "colab",  # as published
    "wisard", "ntuple", "personal", "ridge", "mlp_tuned",  # of one user
    "bias", "svd", "bayes_fm",  # of all users
    "movie_mean", "user_mean", "user_median", "always_3",
]  # fmt: skip
REFERENCE = "bayes_fm"  # the others are compared with it: the best of the quick ones in tuning
PROTOCOL = "strict"  # or "published": the choices of the published benchmark
HOLDOUT = None  # "last", "next", "random", "global-time"; None: as the protocol says
ENCODING = None  # bits of a movie: "published", "extended", "learned"; None: as the protocol says
SPLIT = 0.8  # share of the ratings for training
SEED = 0  # of samples, splits and models
WORKERS = 0  # cells that run at a time; 0: one per core, at most 4
QUICK = {  # with --quick, in place of the above
    "reviews_per_user": (10, 25, 50),
    "iterations": 1,
    "num_users": (100,),
    "background_users": 200,  # less time, and higher errors
    "models": ("ao", "ntuple", "torch", "personal", "colab", "vb_all", "movie_mean", "user_mean"),
    "reference": "vb_all",
}

import sys
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Annotated, Any, Literal

from recbench.command_line import RATINGS, check_once, parse_cells, read_flags, run, several, unset
from recbench.data.scales import TableFlags, with_flags
from recbench.errors import LARGEST, InputError, check_range
from recbench.evaluation.protocols import (
    PROTOCOLS,
    VERSION,
    BackgroundUsers,
    Encoding,
    Join,
    Labels,
    Loss,
    Protocol,
    Samples,
    UserSet,
    VoteScale,
)
from recbench.registry import RECOMMENDERS, check_name, listed, name_of

AUTO = "auto"  # the reference
MOST_CELLS = 100_000  # times iterations; more is a slip of the hand
CHOICES = [field.name for field in fields(Protocol) if field.name != "name"]

# --- flags -------------------------------------------------------------------------------------


@dataclass
class DataFlags:
    """Which ratings are used."""

    dataset: str = DATASET
    """auto (Kaggle's if available, else ml-100k), the-movies-dataset,
    the-movies-dataset-small, ml-100k, ml-latest-small, ml-1m, ml-10m, ml-20m, ml-25m, ml-32m,
    movietweetings (also -10k, -100k, -latest), a folder or zip file in the layout of Kaggle or
    GroupLens, or a table of ratings (docs/datasets.md)"""
    user_set: UserSet = "all"
    """set that users are drawn from: all, development (for research and tuning), test (held-out
    test users), claim-1 or claim-2 (for the claims in docs/claim.md, each run once)"""
    top_percentile: float = 0.0
    """keep movies whose vote count reaches this quantile, such as 0.9; 0: all"""
    votes: bool = True
    """whether recommenders know the external votes of movies"""
    item_baseline: bool = True
    """whether item baseline and item table know other users' ratings, or only votes and bits"""
    cache: bool = True
    """whether a large dataset is cached, joined, for later runs"""


@dataclass
class GridFlags:
    """Which recommenders run, on how many users and ratings."""

    quick: bool = False
    """a first look in a minute: one iteration of three cells, the published contenders, the best
    successor of each, and two means; other flags change that"""
    num_users: tuple[int, ...] = several(NUM_USERS)
    """number of users to draw; 0: all"""
    reviews_per_user: Annotated[tuple[int, ...], RATINGS] = several(REVIEWS_PER_USER)
    """number of ratings per user; 0: all"""
    cells: Annotated[tuple[str, ...], unset("that grid")] = ()
    """single cells in place of the grid, such as 250x25 100x200 0x0 (0: all)"""
    iterations: int = ITERATIONS
    """repetitions of each cell"""
    models: tuple[str, ...] = several(MODELS)
    """names of recommenders (--list-models lists them), or your own as file:Class; NAME_median
    predicts the median"""
    list_models: bool = False
    """list all recommenders and exit"""
    reference: str = REFERENCE
    """the recommender that all others are compared with; auto, or one that is not among the models:
    in each cell the collaborative one with the lowest RMSE on validation rows of all iterations,
    for which each of them is fitted twice"""
    settings: Annotated[tuple[str, ...], unset("their defaults")] = ()
    """settings of recommenders, such as bayes_fm.rank=32 bayes_fm.samples=256; recommenders that
    build on one of them use these too"""
    wnn_engine: Literal["weightless", "ao_core"] = "weightless"
    """engine of ao: this project's, or the private one of AO Labs"""
    ranking: bool = False
    """whether each recommender also ranks all movies for every user with a liked held-out movie;
    it predicts every pair of user and movie, which takes longer than all else"""
    seed: int = SEED
    """seed of samples, splits and recommenders; iteration k uses seed + k - 1"""


def by_protocol(choice: str, metavar: str) -> Any:
    """A choice that the protocol makes where no flag does; --help shows which."""
    protocol = PROTOCOLS.get(PROTOCOL, PROTOCOLS["strict"])
    return unset(f"{getattr(protocol, choice)} ({protocol.name})", metavar)


@dataclass
class ProtocolFlags:
    """How training and test ratings are chosen, encoded and learned."""

    protocol: Literal["strict", "published"] = PROTOCOL  # type: ignore[assignment]
    """a named set of the choices below; each flag below changes one of them"""
    split: float = SPLIT
    """share of the ratings for training"""
    join: Annotated[Join | None, by_protocol("join", "{links,direct}")] = None
    """how ratings find their movies: through links.csv, or by equal ids as published"""
    vote_scale: Annotated[VoteScale | None, by_protocol("vote_scale", "{halved,as_published}")] = (
        None
    )
    """TMDB's vote average of 0 to 10 is halved, or read as 0 to 5 as published"""
    holdout: Annotated[str | None, by_protocol("holdout", "STR")] = HOLDOUT
    """held-out ratings: each user's last (last), the next ones after four fifths of the history
    (next), a random part (random), all after one date (global-time), as published (random, and
    other rows for collaborative models), or your own holdout as file:Class"""
    labels: Annotated[Labels | None, by_protocol("labels", "{half_stars,truncated}")] = None
    """thermometers that keep half stars, or drop them as published"""
    loss: Annotated[Loss | None, by_protocol("loss", "{logits,double_sigmoid}")] = None
    """loss of torch and colab: on logits, or with the sigmoid applied twice as published"""
    background_users: Annotated[
        BackgroundUsers | None, by_protocol("background_users", "INT|all")
    ] = None
    """number of users outside the sample that collaborative models also learn from; or all"""
    samples: Annotated[Samples | None, by_protocol("samples", "{fresh,same}")] = None
    """a new sample for each iteration, or the same one as published"""
    encoding: Annotated[
        Encoding | None,
        by_protocol("encoding", "{published,extended,learned,published+learned}"),
    ] = ENCODING
    """movie bits for all recommenders: published (26), extended, or either with bits learned from
    background users appended (published+learned, learned)"""
    code_bits: Annotated[int | None, by_protocol("code_bits", "INT")] = None
    """number of learned bits, 1 to 512"""


@dataclass
class ExecutionFlags:
    """Where and how the run executes; results do not depend on it."""

    workers: int = WORKERS
    """number of cells, or shards of large ones, to run at a time; 0: one per core, at most 4. Use 1
    to compare seconds with other runs"""
    users_per_task: int = 1000
    """a cell with more users is divided among the workers, for recommenders that learn each user
    independently"""
    model_timeout: float = 0.0
    """seconds after which a recommender fails on a cell (fit, predict, rank); 0: never"""
    output_dir: Annotated[str, unset("results/<time>-<dataset>")] = ""
    """the run's folder"""
    resume: Annotated[str, unset("a new run")] = ""
    """folder of a stopped run to continue with its own parameters"""
    accept_changes: bool = False
    """continue although the code or a package has changed since"""
    add_models: Annotated[tuple[str, ...], unset("none")] = ()
    """with --resume: recommenders to add to the run, or to run again"""


@dataclass
class Parameters(DataFlags, TableFlags, GridFlags, ProtocolFlags, ExecutionFlags):
    """All of them."""


def quickly(parameters: Parameters) -> Parameters:
    """With what --quick changes: all that was not changed by another flag."""
    if not parameters.quick:
        return parameters
    usual = Parameters()
    left = {name for name in QUICK if getattr(parameters, name) == getattr(usual, name)}
    if "models" not in left:
        left.discard("reference")
    return replace(parameters, **{name: QUICK[name] for name in left})  # type: ignore[arg-type]


def before_imports(parameters: Parameters) -> None:
    """The list of models, and errors in flags: they need none of the imports below."""
    if parameters.list_models:
        print(listed())
        sys.exit()
    parameters = quickly(parameters)
    check(parameters)
    for spec in (*parameters.models, *parameters.add_models):
        check_name(spec, ranking=True)


def check(parameters: Parameters) -> None:
    """Raises InputError for a value out of its range, before anything is read or written."""
    check_range("--num-users", *parameters.num_users, least=0)
    check_range("--ratings-per-user", *parameters.reviews_per_user, least=0)
    check_range("--seed", parameters.seed, least=0)
    check_range("--workers", parameters.workers, least=0, most=1024)
    check_range("--users-per-task", parameters.users_per_task, least=1)
    if 1 in parameters.reviews_per_user:
        raise InputError("--ratings-per-user is 1. Expected 2 or more: one to learn, one to test")
    most = MOST_CELLS // len(cells_of(parameters))
    check_range("--iterations", parameters.iterations, least=1, most=most)
    if not 0 <= parameters.model_timeout < LARGEST:
        raise InputError(f"--model-timeout is {parameters.model_timeout}. Expected seconds, or 0")
    if not 0 <= parameters.top_percentile < 1:
        raise InputError(f"--top-percentile is {parameters.top_percentile}. Expected 0 to below 1")
    if isinstance(parameters.background_users, int):
        check_range("--background-users", parameters.background_users, least=0)
    if not parameters.models:
        raise InputError(f"--models needs a name. There are {', '.join(RECOMMENDERS)}")
    names = [name_of(spec) for spec in parameters.models]
    check_once("--models", names)
    check_once("--add-models", [name_of(spec) for spec in parameters.add_models])
    if parameters.add_models and not parameters.resume:
        raise InputError("--add-models is for a run that is there: give --resume FOLDER, too")
    if parameters.reference not in (AUTO, REFERENCE, *names):
        raise InputError(
            f"--reference is '{parameters.reference}'. Expected auto or one of --models: "
            f"{', '.join(names)}"
        )
    choose_protocol(parameters).holdout_rule()


def choose_protocol(parameters: Parameters) -> Protocol:
    changes = {choice: getattr(parameters, choice) for choice in CHOICES}
    return PROTOCOLS[parameters.protocol].changed(**changes)


def cells_of(parameters: Parameters) -> list[tuple[int, int]]:
    if parameters.cells:
        return parse_cells(parameters.cells, least_ratings=2)
    return list(product(parameters.num_users, parameters.reviews_per_user))


if __name__ == "__main__":
    GIVEN = read_flags(Parameters, before_imports)  # --help ends here: what follows takes seconds

import shutil
import time
from functools import partial

from rich.console import Console

from data_prep import Dataset, load_dataset, size_of
from recbench.contract import NO_BITS
from recbench.models.item_table.codes import CODE_BITS
from recbench.report.html.run_report import write_report
from recbench.report.progress import GridProgress
from recbench.report.results import write_results
from recbench.runs import running
from recbench.runs.grid import CELLS, CellTask
from recbench.runs.predictions import Predictions
from recbench.runs.processes import resumable
from recbench.runs.resume import (
    add_models,
    forget_changed_files,
    open_run,
    resume_command,
    resumed,
)
from recbench.runs.run_folder import RunFolder

TRIVIAL_REFERENCE = "user_median"  # beside the other
NEXT = f"next: python compare_all.py runs {len(MODELS)} recommenders, {ITERATIONS} times"
console = Console(highlight=False, markup=False, emoji=False)  # of names and paths


def main(parameters: Parameters) -> int:
    started = time.perf_counter()
    parameters, earlier = resumed(quickly(parameters))
    check(parameters)
    if parameters.code_bits is not None:
        check_range("--code-bits", parameters.code_bits, least=1, most=CODE_BITS)
    protocol = choose_protocol(parameters)
    with console.status("preparing"):
        specs = (*parameters.models, *parameters.add_models)
        running.check_models(specs, parameters.wnn_engine, parameters.ranking)
        running.settings_of(parameters.settings, specs)
    dataset = load_dataset(
        with_flags(parameters.dataset, parameters), protocol.join, parameters.cache
    )
    remarks = [running.check_holdout(dataset, protocol), dataset.source.unit_in_words()]
    able, more = (
        running.with_bits(names, dataset, protocol)
        for names in (parameters.models, parameters.add_models)
    )
    if left_out := [name for name in specs if name not in (*able, *more)]:
        remarks.append(f"left out, {NO_BITS.format(', '.join(left_out))}")
    parameters = replace(parameters, models=able, add_models=more)
    folder = open_run(
        parameters, earlier, dataset.source.name, [dataset],
        protocol=protocol.columns(), evaluation_version=VERSION,
    )  # fmt: skip
    for remark in filter(None, remarks):
        console.print(remark)
        folder.remark(remark)
    with resumable(folder.path, resume_command(folder, parameters)):
        models, predictions = run_grid(parameters, protocol, dataset, folder)
        table = folder.finish(models, started)
        if (table["status"] == "ok").any():
            reference = parameters.reference if parameters.reference in models else None
            write_results(
                table, predictions, protocol, reference, TRIVIAL_REFERENCE, folder, console
            )
        report = write_report(folder.path)
        failed = table[table["status"] == "failed"]
        failures = [
            f"{', '.join(rows['model'].unique())} ({len(rows)} results): {reason}"
            for reason, rows in failed.groupby("error", sort=False)
        ]
        status = folder.print_end(console, report, failures)
        if parameters.quick:
            console.print(NEXT, soft_wrap=True)
        return status


def run_grid(
    parameters: Parameters, protocol: Protocol, dataset: Dataset, folder: RunFolder
) -> tuple[list[str], Predictions]:
    """All recommenders on all cells that are left; their names, and the predictions."""
    predictions = running.open_predictions(folder, anew=parameters.accept_changes)
    specs = parameters.models
    if parameters.add_models:
        specs = add_models(folder, predictions, specs, parameters.add_models)
    names = [name_of(spec) for spec in specs]
    if dataset.cached_in is not None:
        size = size_of(dataset.cached_in)
        console.print(f"read from {dataset.cached_in} ({size})", soft_wrap=True)
    counts = ", ".join(f"{count:,} {what}" for what, count in dataset.counts.items() if count)
    console.print(f"{dataset.source.name}: {counts}")
    console.print(f"protocol {protocol.name}; results in {folder.path}")
    for model in forget_changed_files(folder, predictions, specs):
        console.print(f"the file of {model} has changed since: it is run again")

    # "auto" was decided when the dataset was loaded, and is not decided again by each worker
    auto = parameters.dataset == "auto"
    name = dataset.source.name if auto else with_flags(parameters.dataset, parameters)
    task = CellTask(
        dataset=name,
        protocol=protocol,
        key={},
        seed=parameters.seed,
        models={name_of(spec): spec for spec in specs},
        settings=running.settings_of(parameters.settings, specs),
        wnn_engine=parameters.wnn_engine,
        reference_of={},
        folder=folder.path.absolute(),
        model_timeout=parameters.model_timeout,
        ranking=parameters.ranking,
        cache=parameters.cache,
        users_per_task=0 if parameters.workers == 1 else parameters.users_per_task,
    )
    tasks = running.tasks_left(
        task,
        cells_of(parameters),
        parameters.iterations,
        choose_reference=parameters.reference not in names,
        folder=folder,
        dataset=dataset,
    )
    command = resume_command(folder, parameters, workers=1)
    progress = partial(GridProgress, console, rows=folder.rows, order=names)
    running.run_tasks(tasks, folder, predictions, dataset, parameters.workers, command, progress)
    shutil.rmtree(folder.path / CELLS, ignore_errors=True)
    return names, predictions


if __name__ == "__main__":
    run(main, GIVEN)
