"""`ao`: one weightless neural network per user, by the published rule.

Each user gets an agent of 26 input and 10 output neurons. It stores each of the user's training
ratings once: the movie's bits with the thermometer of the rating. For another movie it predicts the
thermometer of the most similar stored movies; see `weightless`. It has no training loop and no
gradient, and learns nothing from other users.

    python PerUser/perUser.py --num-users 100 --ratings-per-user 25
"""

from __future__ import annotations

# What most people change; each is the default of the flag of that name.
DATASET = "auto"  # Kaggle's if available, else ml-100k; also ml-1m .. ml-32m, a folder, a zip
NUM_USERS = 100  # users that are drawn at random; 0: all
REVIEWS_PER_USER = 25  # ratings of each user; 0: all
SPLIT = 0.8  # share of each user's ratings for training
PROTOCOL = "strict"  # or "published": as in the published benchmark; see --help
SEED = 0  # of the sample, the split and the random bits
WNN_ENGINE = "weightless"  # this project's open engine; or "ao_core", the private one of AO Labs
STEPS = 15_000  # a hint: number of states of an agent
TIMES_SHOWN = 5  # showings of each test movie before its answer is read, as published

import importlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import ClassVar, Literal, Self

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script: find the project

from recbench.command_line import read_flags, run
from recbench.runs.experiment import Experiment, print_experiment, run_experiment

Engine = Literal["weightless", "ao_core"]


@dataclass
class Parameters(Experiment):
    """Flags of `python PerUser/perUser.py`."""

    wnn_engine: Engine = "weightless"
    """weightless, this project's open engine, or ao_core, the private one of AO Labs"""


DEFAULTS = Parameters(DATASET, NUM_USERS, REVIEWS_PER_USER, SPLIT, PROTOCOL, SEED, WNN_ENGINE)
if __name__ == "__main__":
    GIVEN = read_flags(DEFAULTS)  # --help ends here: what follows takes a second

import numpy as np

from data_prep import decode_ratings, encode_ratings
from recbench.contract import ForgettingRecommender, Training
from recbench.data.encodings.thermometer import RATING_BITS, count_ones, thermometer
from recbench.errors import InputError
from weightless.coin import agent_seeds


class AoRecommender(ForgettingRecommender):
    """One weightless agent per user.

    The engine is "weightless", the open one of this project, or "ao_core" of AO Labs. Its seed is
    that of the random bits used where the memory gives no answer; each agent's seed follows from
    the index of its user in the sample.

    For a user without training ratings, the mean of all training ratings is predicted.
    """

    name: ClassVar[str] = "ao"
    learns_from: ClassVar[str] = "user"
    needs_bits: ClassVar[bool] = True
    has_kernels: ClassVar[bool] = True

    @staticmethod
    def check_engine(name: Engine) -> None:
        """Raises InputError if the engine is not installed; says how to get it."""
        load_engine(name)

    def fit(self, training: Training) -> Self:
        train, movies, engine = training.ratings, training.movies, load_engine(training.wnn_engine)
        self.bits, self.labels = movies.bits, training.labels
        self.mean_stars = training.sample.mean_stars()
        self.users, agent = np.unique(train.user, return_inverse=True)
        arch = engine.Arch(
            arch_i=list(movies.channels.values()),  # [10, 3, 3, 10] by the published encoding
            arch_z=[RATING_BITS],
            arch_c=[],
            connector_function="forward_forward_conn",
        )
        if training.wnn_engine == "weightless":
            everyone = np.unique(training.sample.user)
            self.agents = engine.Population(arch, len(self.users), seed=training.seed)
            seeds = agent_seeds(self.agents.seed, len(everyone))
            self.agents.seeds = seeds[np.searchsorted(everyone, self.users)]
        else:
            self.agents = VendorAgents(engine, arch, len(self.users))
        self._agent = np.arange(len(self.users))  # of each of the users
        self._train, self._learned = train, dict[int, list[int]]()
        inputs = movies.bits[train.movie]  # (ratings, 26)
        self.agents.learn(agent, inputs, encode_ratings(train.stars, self.labels))
        return self

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        place = int(np.searchsorted(self.users, user))
        if place == len(self.users) or self.users[place] != user:
            self.users = np.insert(self.users, place, user)
            self._agent = np.insert(self._agent, place, len(self._agent))
            self.agents.add_agents(1)
        self._movies_of(user).append(movie)
        label = encode_ratings(np.array([stars]), self.labels)
        self.agents.learn(self._agent[[place]], self.bits[[movie]], label)

    def forget_one(self, user: int, movie: int) -> None:
        """Remove a rating: the agent then answers as if it had learned only the others.

        Raises:
            KeyError: the user has no such rating.
        """
        movies = self._movies_of(user)
        if movie not in movies:
            raise KeyError(f"user {user} has no rating of movie {movie}")
        agent = int(self._agent[np.searchsorted(self.users, user)])
        self.agents.forget(agent, movies.index(movie))
        movies.remove(movie)

    def _movies_of(self, user: int) -> list[int]:
        """The movies that the user's agent has learned, in that order."""
        if user not in self._learned:
            self._learned[user] = self._train.movie[self._train.user == user].tolist()
        return self._learned[user]

    def predict_bits(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        unknown = thermometer(count_ones(np.array([self.mean_stars]), self.labels))
        answers = np.repeat(unknown, len(user), axis=0)  # (pairs, 10)
        known = np.isin(user, self.users)
        agent = self._agent[np.searchsorted(self.users, user[known])]
        answers[known] = self.agents.recall(agent, self.bits[movie[known]])
        return answers

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return decode_ratings(self.predict_bits(user, movie))

    def state_bytes(self) -> int | None:
        return self.agents.nbytes

    def shared_bytes(self) -> int:
        return self.bits.nbytes


class VendorAgents:
    """One agent of AO Labs' engine per user, with the calls of a `weightless.Population`.

    The open engine's answer to an unsequenced input is a function of that input alone, so a
    population gives the answer after `TIMES_SHOWN` showings at once. Whether this holds for theirs
    is unknown, so each agent is shown every movie as published.
    """

    nbytes = None  # a private engine does not say

    def __init__(self, engine: ModuleType, arch: object, n_agents: int) -> None:
        self._engine, self._arch = engine, arch
        self.agents: list = []
        self.add_agents(n_agents)

    def add_agents(self, more: int) -> None:
        self.agents += [self._engine.Agent(self._arch, _steps=STEPS) for _ in range(more)]

    def learn(self, agent: np.ndarray, inputs: np.ndarray, labels: np.ndarray) -> None:
        """`labels` (uint8 [n, 10]) to `inputs` (uint8 [n, 26]), by agent (int [n])."""
        for which in np.unique(agent):
            rows = agent == which
            self.agents[which].next_state_batch(
                inputs[rows], labels[rows], unsequenced=True, DD=True, Hamming=True
            )

    def recall(self, agent: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        """The answers, uint8 [n, 10]."""
        answers = np.zeros((len(agent), RATING_BITS), np.uint8)
        for row, which in enumerate(agent):
            one = self.agents[which]
            for _ in range(TIMES_SHOWN):
                answers[row] = one.next_state(inputs[row], unsequenced=True, DD=True, Hamming=True)
            one.reset_state()
        return answers


def load_engine(name: Engine) -> ModuleType:
    """The module with `Arch` and `Agent`.

    Raises:
        InputError: `ao_core` is not installed; says how to get it.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in (name, "ao_arch"):
            raise
        raise InputError(
            f"--wnn-engine {name}: {error.name} is not installed. ao_core is private: ask AO Labs "
            "(https://www.aolabs.ai) for access, then pip install "
            "git+https://github.com/aolabsai/ao_core and "
            "git+https://github.com/aolabsai/ao_arch; or leave the flag out for the open engine"
        ) from None


# --- the published experiment ------------------------------------------------------------------


def run_ao_model(
    num_users: int, reviews_per_user: int, split: float = 0.8, **parameters: object
) -> tuple[float, float, float]:
    """(mean accuracy over users, median accuracy, seconds to fit and predict).

    Args:
        num_users, reviews_per_user: of the sample; 0: all.
        split: share of each user's ratings for training.
        parameters: other fields of `Parameters`.
    """
    sample = {"num_users": num_users, "reviews_per_user": reviews_per_user, "split": split}
    row = run_experiment(AoRecommender, replace(DEFAULTS, **sample, **parameters))
    seconds = row["fit_seconds"] + row["predict_seconds"]
    return row["accuracy_mean"], row["accuracy_median"], seconds


def main(parameters: Parameters) -> None:
    print_experiment(AoRecommender, parameters)


if __name__ == "__main__":
    run(main, GIVEN)
