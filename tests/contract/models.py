"""A model that keeps every promise, one with bits, and one broken model for each check."""

from __future__ import annotations

GOOD = """
import numpy as np
from recbench import Contribution, Explanation


class Model:
    options = ("seed", "labels")
    asks_for_time = True
    search_space = {"damping": (0.5, 50.0, "log")}

    def __init__(self, seed=0, labels="half_stars", damping=3.0):
        self.seed, self.labels, self.damping = seed, labels, damping

    def fit(self, train, movies):
        self.start = train.mean_stars()
        noise = np.random.default_rng(self.seed).normal(0, 0.01, len(movies))
        votes = np.nan_to_num(movies.vote_average - 3.0)
        self.movie = 0.1 * votes + noise
        self.last = int(train.time.max(initial=0))
        self.own = {}
        for row in np.argsort(train.time, kind="stable"):
            self.learn_one(int(train.user[row]), int(train.movie[row]), float(train.stars[row]))
        return self

    def learn_one(self, user, movie, stars):
        self.own.setdefault(user, {})
        self.own[user][movie] = stars - self.start - self.movie[movie]

    def forget_one(self, user, movie):
        if movie not in self.own.get(user, {}):
            raise KeyError(f"user {user} has no rating of movie {movie}")
        del self.own[user][movie]

    def explain_one(self, user, movie):
        own = self.own.get(user, {})
        parts = [("mean", self.start), ("movie", self.movie[movie])]
        parts += [("your rating", one / (len(own) + self.damping)) for one in own.values()]
        total = sum(stars for _, stars in parts)
        parts.append(("limit of the scale", min(max(total, 0.5), 5.0) - total))
        return Explanation(tuple(Contribution(why, float(stars)) for why, stars in parts))

    def predict_one(self, user, movie):
        return self.explain_one(user, movie).stars

    def predict(self, user, movie, time=None):
        later = 0.0 if time is None else np.clip((time - self.last) / 1e9, -0.1, 0.1)
        pairs = zip(user.tolist(), movie.tolist())
        stars = np.array([self.predict_one(*pair) for pair in pairs])
        stars = stars + later
        return np.clip(stars, 0.5, 5.0).astype(np.float32)

    def predict_distribution(self, user, movie, time=None):
        grid = np.arange(1, 11) / 2
        away = self.predict(user, movie, time)[:, None] - grid
        weight = np.exp(-(away**2))
        return grid, weight / weight.sum(axis=1, keepdims=True)

    def state_bytes(self):
        return 12 * sum(map(len, self.own.values()))
"""

WITH_BITS = """
import numpy as np
from recbench.data.encodings.thermometer import decode_ratings


class Model:
    def fit(self, train, movies):
        self.ones = int(2 * train.mean_stars())
        return self

    def predict_bits(self, user, movie):
        ones = np.full(len(user), self.ones)
        return (np.arange(10) < ones[:, None]).astype(np.uint8)

    def predict(self, user, movie):
        return decode_ratings(self.predict_bits(user, movie))
"""

START = "self.start = train.mean_stars()"
VOTES = "votes = np.nan_to_num(movies.vote_average - 3.0)"
FILM = "self.movie = 0.1 * votes + noise"
LAST = "self.last = int(train.time.max(initial=0))"
EXPLAINED = "return self.explain_one(user, movie).stars"
FEW = "self.own.setdefault(user, {})"
OWN = "self.own = {}\n"
LEARN = "self.own[user][movie] = stars - self.start - self.movie[movie]"
FORGET = "del self.own[user][movie]"
SUM = "stars = stars + later"
CUT = "return np.clip(stars, 0.5, 5.0).astype(np.float32)"
SIZE = "return 12 * sum(map(len, self.own.values()))"
BITS = "return (np.arange(10) < ones[:, None]).astype(np.uint8)"


def changed(*replaced: tuple[str, str], model: str = GOOD) -> str:
    """`model` with the first text of each pair replaced by the second. The line to blame has
    "# here" behind it."""
    for old, new in replaced:
        assert model.count(old) == 1, old
        model = model.replace(old, new)
    assert model.count("# here") == 1
    return model


def then(line: str, *more: str) -> tuple[str, str]:
    """Puts more lines behind one of a method."""
    return line, "\n        ".join((line, *more))


# what is wrong: the check that finds it, what it says, the file
BROKEN: dict[str, tuple[str, str, str]] = {
    "wants an argument": (
        "it_can_be_made",
        "missing 1 required positional argument: 'rank'",
        changed(("class Model:", "class Model:  # here"), ("(self, seed=0", "(self, rank, seed=0")),
    ),
    "names an unknown option": (
        "it_can_be_made",
        "Model.options names 'sead'",
        changed(("class Model:", "class Model:  # here"), ('("seed", ', '("sead", ')),
    ),
    "raises when made": (
        "it_can_be_made",
        "OSError: no disk",
        changed(
            (
                "self.seed, self.labels",
                'raise OSError("no disk")  # here\n        self.seed, self.labels',
            )
        ),
    ),
    "raises in fit": (
        "it_can_be_fitted",
        "AttributeError: 'Ratings' object has no attribute 'rating'",
        changed((START, "self.start = train.rating.mean()  # here")),
    ),
    "exits": (
        "it_can_be_fitted",
        "SystemExit: 3",
        changed((START, "raise SystemExit(3)  # here")),
    ),
    "returns nothing from fit": (
        "fit_returns_the_recommender",
        "fit returned None",
        changed(("return self\n", "self.done = True  # here\n")),
    ),
    "returns another from fit": (
        "fit_returns_the_recommender",
        "fit returned another object (Model)",
        changed(("return self\n", "import copy\n        return copy.copy(self)  # here\n")),
    ),
    "predicts a table": (
        "one_prediction_for_each_pair",
        "predict returned shape (100, 1) for 100 pairs",
        changed((CUT, f"{CUT}[:, None]  # here")),
    ),
    "predicts a number": (
        "one_prediction_for_each_pair",
        "predict returned a float",
        changed((CUT, "return 3.0  # here")),
    ),
    "predicts a list in one of two returns": (
        "one_prediction_for_each_pair",
        "predict returned a list",
        changed(
            (CUT, f"if len(user) > 7:\n            return [3.0] * len(user)  # here\n        {CUT}")
        ),
    ),
    "predicts in 64 bits": (
        "predictions_are_float32",
        "predict returned float64",
        changed((CUT, "return np.clip(stars, 0.5, 5.0)  # here")),
    ),
    "predicts nan": (
        "predictions_are_stars",
        "predict returned nan in 5 of 100 predictions",
        changed(then(SUM, "stars[movie == 7] = np.nan"), (CUT, f"{CUT}  # here")),
    ),
    "predicts seven stars": (
        "predictions_are_stars",
        "predict returned 7 stars",
        changed(
            then(SUM, "stars[movie == 7] = 7"), (CUT, "return stars.astype(np.float32)  # here")
        ),
    ),
    "knows no new users": (
        "users_never_seen",
        "IndexError: index 50000 is out of bounds",
        changed(
            then(LAST, "self.seen = np.ones(int(train.user.max(initial=0)) + 1)"),
            then(SUM, "stars = stars * self.seen[user]  # here"),
        ),
    ),
    "has nan for users without ratings": (
        "users_never_seen",
        "predict returned nan in 46 of 46 predictions for users that fit never saw",
        changed(
            (SUM, "stars = stars + [0.0 if one in self.own else np.nan for one in user.tolist()]"),
            (CUT, f"{CUT}  # here"),
        ),
    ),
    "knows the movies rated alone": (
        "movies_never_seen",
        "IndexError: index 21 is out of bounds",
        changed(
            then(LAST, "self.seen = np.ones(int(train.movie.max(initial=19)) + 1)"),
            then(SUM, "stars = stars * self.seen[movie]  # here"),
        ),
    ),
    "cannot be asked nothing": (
        "nothing_asked",
        "ValueError: zero-size array to reduction operation",
        changed(then(SUM, "stars = stars * (1 if movie.max() < 10**9 else 0)  # here")),
    ),
    "has other stars in a hundred years": (
        "any_time_may_be_asked_about",
        "stars at time 100000000000",
        changed(
            (SUM, "stars = stars if time is None else stars + np.maximum(time - self.last, 0)"),
            (CUT, "return stars.astype(np.float32)  # here"),
            ("(max(total, 0.5), 5.0)", "(max(total, 0.5), 5.0)"),
        ),
    ),
    "takes no time for now": (
        "any_time_may_be_asked_about",
        "predict without a time says other than at the last of training",
        changed(("0.0 if time is None", "0.3 if time is None"), (CUT, f"{CUT}  # here")),
    ),
    "divides by the number of ratings": (
        "an_empty_training_table",
        "ZeroDivisionError: division by zero",
        changed((START, "self.start = sum(train.stars.tolist()) / len(train)  # here")),
    ),
    "takes the mean of nothing": (
        "an_empty_training_table",
        "predict returned nan in 161 of 161 predictions after fit to no rating",
        changed((START, "self.start = train.stars.mean()"), (CUT, f"{CUT}  # here")),
    ),
    "wants a variance": (
        "one_rating_of_a_user",
        "predict returned nan in 161 of 161 predictions after fit to one rating",
        changed(
            then(START, "self.start += 0 * np.var(train.stars, ddof=1) if len(train) else 0"),
            (CUT, f"{CUT}  # here"),
        ),
    ),
    "wants two users": (
        "one_user",
        "ValueError: one user",
        changed(
            then(
                START,
                "if len(train) > 2 and len(set(train.user)) == 1:",
                '    raise ValueError("one user")  # here',
            ),
        ),
    ),
    "divides by the spread": (
        "all_ratings_alike",
        "ZeroDivisionError: float division by zero",
        changed(
            then(
                START,
                "spread = float(np.ptp(train.stars)) if len(train) > 2 else 1.0",
                "self.scale = 1 / spread  # here",
            )
        ),
    ),
    "hands votes on that are nan": (
        "movies_of_which_nothing_is_known",
        "predict returned nan in 161 of 161 predictions where no movie has bits or votes",
        changed(
            (
                VOTES,
                "known = movies.vote_average[~np.isnan(movies.vote_average)].mean()\n"
                "        votes = np.nan_to_num(movies.vote_average - 3.0) + 0 * known",
            ),
            (CUT, f"{CUT}  # here"),
        ),
    ),
    "writes to its ratings": (
        "it_can_be_fitted",
        "ValueError: assignment destination is read-only",
        changed(then(START, "train.stars[:] = 5  # here")),
    ),
    "makes its ratings writable and centres them": (
        "inputs_are_left_as_they_were",
        "train.stars became other values",
        changed(
            then(
                START,
                "train.stars.base.flags.writeable = True",
                "train.stars.base[:] -= 1e-3  # here",
            ),
        ),
    ),
    "sorts what it is asked": (
        "one_prediction_for_each_pair",
        "ValueError: sort array is read-only",
        changed(
            then(
                "later = 0.0 if time is None else np.clip((time - self.last) / 1e9, -0.1, 0.1)",
                "user.sort()  # here",
            )
        ),
    ),
    "draws without the seed": (
        "same_seed_same_result",
        "fitted twice with one seed it predicts two things",
        changed(
            (
                "np.random.default_rng(self.seed).normal(0, 0.01, len(movies))",
                "np.random.normal(0, 0.01, len(movies))  # here",
            )
        ),
    ),
    "ignores its seed": (
        "another_seed_another_result",
        "seeds 5 and 6 give the same predictions",
        changed(
            (
                "self.seed, self.labels, self.damping = seed, labels, damping",
                "self.seed, self.labels, self.damping = 0, labels, damping  # here",
            )
        ),
    ),
    "remembers what it was fitted to before": (
        "fitting_again_starts_afresh",
        "fitted a second time it is not as fitted once (self.own, self.start differ)",
        changed(
            (START, 'self.start = (getattr(self, "start", 3.0) + train.mean_stars()) / 2'),
            ("return self\n", "return self  # here\n"),
        ),
    ),
    "learns when asked": (
        "asking_changes_nothing",
        "asked the same twice, predict said two things",
        changed(then(SUM, "self.start += 0.01  # here")),
    ),
    "draws when asked": (
        "asking_changes_nothing",
        "asked the same twice, predict said two things",
        changed(then(SUM, "stars = stars + np.random.normal(0, 0.01, len(user))  # here")),
    ),
    "grows when asked": (
        "asking_changes_nothing",
        "state_bytes became another by asking",
        changed(
            then(OWN.strip(), "self.asked = []"),
            then(SUM, "self.asked += user.tolist()  # here"),
            (SIZE, "return 12 * len(self.asked)"),
        ),
    ),
    "answers in the order of users": (
        "the_order_of_rows_does_not_matter",
        "in another order of the rows",
        changed(
            then(SUM, "stars = stars[np.argsort(user, kind='stable')]"), (CUT, f"{CUT}  # here")
        ),
    ),
    "centres what it is asked": (
        "splitting_into_batches_does_not_matter",
        "in batches of 1 161 of 161 predictions differ",
        changed(
            then(SUM, "stars = stars - 0.1 * stars.mean() if len(stars) else stars"),
            (CUT, f"{CUT}  # here"),
        ),
    ),
    "takes one user for another": (
        "users_are_not_mixed_up",
        "the one is predicted",
        changed(
            ("own = self.own.get(user, {})\n", "own = self.own.get(5 - user, {})\n"),
            (CUT, f"{CUT}  # here"),
        ),
    ),
    "knows no truncated labels": (
        "every_choice_of_labels_and_loss",
        "KeyError: 'truncated'",
        changed(then(START, 'self.step = {"half_stars": 0.5}[self.labels]  # here')),
    ),
    "searches a setting that it lacks": (
        "settings_are_keywords_of_the_constructor",
        "__init__ has no keyword 'shrinkage' with a default",
        changed(('{"damping": (', '{"shrinkage": ('), ("damping=3.0):", "damping=3.0):  # here")),
    ),
    "has bits as truth values": (
        "stars_are_read_from_the_bits",
        "predict_bits returned bool (161, 10) for 161 pairs",
        changed((BITS, "return np.arange(10) < ones[:, None]  # here"), model=WITH_BITS),
    ),
    "has bits that are counts": (
        "stars_are_read_from_the_bits",
        "predict_bits returned 2 in a bit",
        changed(
            (BITS, "return (2 * (np.arange(10) < ones[:, None])).astype(np.uint8)  # here"),
            (
                "decode_ratings(self.predict_bits(user, movie))",
                "np.full(len(user), 3.0, np.float32)",
            ),
            model=WITH_BITS,
        ),
    ),
    "has bits beside its stars": (
        "stars_are_read_from_the_bits",
        "the bits say other stars than predict",
        changed(
            (BITS, f"{BITS}  # here"),
            (
                "decode_ratings(self.predict_bits(user, movie))",
                "np.full(len(user), 4.2, np.float32)",
            ),
            model=WITH_BITS,
        ),
    ),
    "has weights for probabilities": (
        "distributions_are_distributions",
        "a sum of a row",
        changed(
            (
                "return grid, weight / weight.sum(axis=1, keepdims=True)",
                "return grid, weight  # here",
            )
        ),
    ),
    "has a grid that falls": (
        "distributions_are_distributions",
        "the grid does not rise",
        changed(
            (
                "return grid, weight / weight.sum(axis=1, keepdims=True)",
                "return grid[::-1], weight / weight.sum(axis=1, keepdims=True)  # here",
            )
        ),
    ),
    "says its size in kilobytes": (
        "it_says_how_large_it_is",
        "state_bytes returned a float, 0.504",
        changed((SIZE, f"{SIZE} / 1000  # here")),
    ),
    "predicts one otherwise": (
        "one_prediction_is_what_many_are",
        "of predict_one and predict 138 of 138 predictions differ, by 0.02 stars at most",
        changed(
            ("self.predict_one(*pair) for pair", "self.explain_one(*pair).stars for pair"),
            (
                EXPLAINED,
                f"{EXPLAINED} + 0.02  # here",
            ),
        ),
    ),
    "learns when one is asked": (
        "asking_one_changes_nothing",
        "after predict_one predictions are others",
        changed(
            ("self.predict_one(*pair) for pair", "self.explain_one(*pair).stars for pair"),
            (
                EXPLAINED,
                f"self.start += 1e-5 * (movie == 22)  # here\n        {EXPLAINED}",
            ),
        ),
    ),
    "learns nothing": (
        "learning_comes_nearer_to_fitting_all",
        "19 ratings learned one by one, predictions are",
        changed(
            (
                FEW,
                f"if self.fitted:\n            return  # here\n        {FEW}",
            ),
            then(START, "self.fitted = False"),
            ("return self\n", "self.fitted = True\n        return self\n"),
        ),
    ),
    "learns of users that it knows": (
        "a_new_user_learns",
        "KeyError: 8",
        changed(
            (FEW, ""),
            (OWN, "self.own = {user: {} for user in range(6)}\n"),
            (LEARN, f"{LEARN}  # here"),
        ),
    ),
    "counts on after fit": (
        "fitting_after_learning_starts_afresh",
        "something of learn_one is left after fit (self.count differs)",
        changed(
            then(LEARN, "self.count = getattr(self, 'count', 0) + self.fitted"),
            then(SUM, "stars = stars + getattr(self, 'count', 0) * 1e-3"),
            then(START, "self.fitted = False"),
            ("return self\n", "self.fitted = True\n        return self  # here\n"),
        ),
    ),
    "keeps both ratings of a movie": (
        "a_changed_rating_takes_the_place",
        "rated 0.5 and then 4.5,",
        changed(
            (
                LEARN,
                "before = self.own[user].get(movie, 0.0) - self.start - self.movie[movie]\n"
                "        self.own[user][movie] = before + stars  # here",
            )
        ),
    ),
    "keeps a mean of what is forgotten": (
        "what_is_forgotten_leaves_no_trace",
        "(self.level, written in line 29, is not what it would be)",
        changed(
            then(OWN.strip(), "self.level = 0.0"),
            then(LEARN, "self.level += 0.001 * stars"),
            then(SUM, "stars = stars + self.level"),
            (FORGET, f"{FORGET}  # here"),
        ),
    ),
    "forgets what is not there": (
        "forgetting_what_is_not_there_is_an_error",
        "did nothing, without a word",
        changed(
            ('raise KeyError(f"user {user} has no rating of movie {movie}")', "return  # here")
        ),
    ),
    "leaves the limit unsaid": (
        "explanations_sum_to_the_prediction",
        "the parts sum to",
        changed(
            (
                "        return Explanation(tuple(",
                "        self.cut = parts.pop()[1]\n        return Explanation(tuple(",
            ),
            ("for why, stars in parts))", "for why, stars in parts[1:]))  # here"),
            (
                EXPLAINED,
                f"{EXPLAINED} + self.start + self.cut",
            ),
        ),
    ),
    "explains in words": (
        "explanations_sum_to_the_prediction",
        "explain_one returned a str, not a recbench.Explanation",
        changed(
            (
                "    def explain_one",
                "    def explain_one(self, user, movie):\n"
                '        return "you may like it"  # here\n\n'
                "    def parts",
            ),
            (
                EXPLAINED,
                "return self.parts(user, movie).stars",
            ),
        ),
    ),
    "hangs": (
        "it_can_be_fitted",
        "still at work after",
        changed(then(START, "while True: pass  # here")),
    ),
}
