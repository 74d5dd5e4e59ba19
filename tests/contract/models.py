"""A model that keeps every promise, one with bits, and one broken model for each check."""

from __future__ import annotations

import re

GOOD = """
import numpy as np
from recbench import Contribution, Explanation


class Model:
    learns_from = "user"
    search_space = {"damping": (0.5, 50.0, "log")}

    def __init__(self, damping=3.0):
        self.damping = damping

    def fit(self, training):
        train, movies = training.ratings, training.movies
        self.start = training.sample.mean_stars()
        noise = np.random.default_rng(training.seed).normal(0, 0.01, len(movies))
        votes = np.nan_to_num(movies.vote_average - 3.0)
        self.movie = 0.1 * votes + noise
        self.last = int(training.sample.time.max(initial=0))
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

# What is wrong and the check that finds it; a part of its message; then how GOOD, or else WITH_BITS
# is changed: "-" is a line that goes, "=" one that stays, "!" one that stays and is to blame, "+" a
# line behind it. Where a new line is to blame, it ends with "# here".
CHANGES = """
wants an argument: it_can_be_made: missing 1 required positional argument: 'rank'
! class Model:
-     def __init__(self, damping=3.0):
+     def __init__(self, rank, damping=3.0):
raises in fit: it_can_be_fitted: AttributeError: 'Ratings' object has no attribute 'rating'
-         self.start = training.sample.mean_stars()
+         self.start = train.rating.mean()  # here
returns nothing from fit: it_can_be_fitted: fit returned NoneType
-         return self
+         self.done = True  # here
predicts nan: predictions_are_stars: predict returned nan in 5 of 100 predictions
=         stars = stars + later
+         stars[movie == 7] = np.nan
!         return np.clip(stars, 0.5, 5.0).astype(np.float32)
predicts seven stars: predictions_are_stars: predict returned 7 stars
-         return np.clip(stars, 0.5, 5.0).astype(np.float32)
+         stars[movie == 7] = 7
+         return stars.astype(np.float32)  # here
knows no new users: users_never_seen: IndexError: index 50000 is out of bounds
=         self.last = int(training.sample.time.max(initial=0))
+         self.seen = np.ones(int(train.user.max(initial=0)) + 1)
=         stars = stars + later
+         stars = stars * self.seen[user]  # here
knows the movies rated alone: movies_never_seen: IndexError: index 21 is out of bounds
=         self.last = int(training.sample.time.max(initial=0))
+         self.seen = np.ones(int(train.movie.max(initial=19)) + 1)
=         stars = stars + later
+         stars = stars * self.seen[movie]  # here
has another default time: any_time_may_be_the_input: predict without a time differs from the last
-         later = 0.0 if time is None else np.clip((time - self.last) / 1e9, -0.1, 0.1)
+         later = 0.3 if time is None else np.clip((time - self.last) / 1e9, -0.1, 0.1)
!         return np.clip(stars, 0.5, 5.0).astype(np.float32)
divides by the number of ratings: few_ratings_or_all_alike: ZeroDivisionError: division by zero
-         self.start = training.sample.mean_stars()
+         self.start = sum(train.stars.tolist()) / len(train)  # here
hands on nan: movies_without_bits_or_votes: nan in 161 of 161 predictions where no movie has bits
-         votes = np.nan_to_num(movies.vote_average - 3.0)
+         known = movies.vote_average[~np.isnan(movies.vote_average)].mean()
+         votes = np.nan_to_num(movies.vote_average - 3.0) + 0 * known
!         return np.clip(stars, 0.5, 5.0).astype(np.float32)
makes its ratings writable and centres them: it_can_be_fitted: fit changed the ratings or the movies
=         self.start = training.sample.mean_stars()
+         train.stars.base.flags.writeable = True
+         train.stars.base[:] -= 1e-3
!         return self
draws without the seed: fitting_again_starts_afresh: fitted twice with one seed
-         noise = np.random.default_rng(training.seed).normal(0, 0.01, len(movies))
+         noise = np.random.normal(0, 0.01, len(movies))
!         return self
learns when it predicts: predicting_changes_nothing: predict returned two results for the same input
=         stars = stars + later
+         self.start += 0.01
!         return np.clip(stars, 0.5, 5.0).astype(np.float32)
answers in the order of users: each_pair_is_predicted_by_itself: in another order of the rows
=         stars = stars + later
+         stars = stars[np.argsort(user, kind='stable')]
!         return np.clip(stars, 0.5, 5.0).astype(np.float32)
takes one user for another: users_are_not_mixed_up: the first is predicted
-         own = self.own.get(user, {})
+         own = self.own.get(5 - user, {})
!         return np.clip(stars, 0.5, 5.0).astype(np.float32)
lacks a setting: settings_are_keywords_of_the_constructor: no such keyword with a default
! class Model:
-     search_space = {"damping": (0.5, 50.0, "log")}
+     search_space = {"shrinkage": (0.5, 50.0, "log")}
has other bits: stars_are_read_from_the_bits: the bits encode other stars than predict returns
!         return (np.arange(10) < ones[:, None]).astype(np.uint8)
-         return decode_ratings(self.predict_bits(user, movie))
+         return np.full(len(user), 4.2, np.float32)
has a grid that falls: distributions_are_distributions: a grid that does not rise
-         return grid, weight / weight.sum(axis=1, keepdims=True)
+         return grid[::-1], weight / weight.sum(axis=1, keepdims=True)  # here
predicts one otherwise: one_prediction_is_what_many_are: 138 of 138 predictions differ, by 0.02
-         return self.explain_one(user, movie).stars
+         return self.explain_one(user, movie).stars + 0.02  # here
-         stars = np.array([self.predict_one(*pair) for pair in pairs])
+         stars = np.array([self.explain_one(*pair).stars for pair in pairs])
learns nothing: learning_comes_nearer_to_fitting_all: 23 ratings learned one by one, predictions are
=         self.start = training.sample.mean_stars()
+         self.fitted = False
=             self.learn_one(int(train.user[row]), int(train.movie[row]), float(train.stars[row]))
+         self.fitted = True
=     def learn_one(self, user, movie, stars):
+         if self.fitted:
+             return  # here
counts on: fitting_again_starts_afresh: it predicts something else (other: self.count)
=         self.start = training.sample.mean_stars()
+         self.fitted = False
=             self.learn_one(int(train.user[row]), int(train.movie[row]), float(train.stars[row]))
+         self.fitted = True
!         return self
=         self.own[user][movie] = stars - self.start - self.movie[movie]
+         self.count = getattr(self, 'count', 0) + self.fitted
=         stars = stars + later
+         stars = stars + getattr(self, 'count', 0) * 1e-3
keeps both ratings of a movie: a_changed_rating_takes_the_place: rated 0.5 and then 4.5,
-         self.own[user][movie] = stars - self.start - self.movie[movie]
+         before = self.own[user].get(movie, 0.0) - self.start - self.movie[movie]
+         self.own[user][movie] = before + stars  # here
keeps a mean: what_is_forgotten_leaves_no_trace: (other: self.level
=         self.own = {}
+         self.level = 0.0
=         self.own[user][movie] = stars - self.start - self.movie[movie]
+         self.level += 0.001 * stars
!         del self.own[user][movie]
=         stars = stars + later
+         stars = stars + self.level
forgets what is not there: what_is_forgotten_leaves_no_trace: raised nothing
-             raise KeyError(f"user {user} has no rating of movie {movie}")
+             return  # here
leaves the limit unsaid: explanations_sum_to_the_prediction: the parts sum to
-         return Explanation(tuple(Contribution(why, float(stars)) for why, stars in parts))
+         self.cut = parts.pop()[1]
+         return Explanation(tuple(Contribution(*part) for part in parts[1:]))  # here
-         return self.explain_one(user, movie).stars
+         return self.explain_one(user, movie).stars + self.start + self.cut
hangs: it_can_be_fitted: still running after
=         self.start = training.sample.mean_stars()
+         while True: pass  # here
centres on the part of the users: users_can_be_fitted_in_parts: fitted to a part of the users,
-         self.start = training.sample.mean_stars()
+         self.start = train.mean_stars()
!         return self
"""


def broken(change: str) -> tuple[str, tuple[str, str, str]]:
    """Of an entry of CHANGES: what is wrong; the check, the message, the file."""
    head, *edits = change.splitlines()
    what, check, message = head.split(": ", 2)
    lines = GOOD.splitlines()
    if not all(edit[2:] in lines for edit in edits if edit[0] != "+"):
        lines = WITH_BITS.splitlines()
    at = 0
    for mark, text in ((edit[0], edit[2:]) for edit in edits):
        if mark == "+":
            lines.insert(at, text)
        else:
            assert lines.count(text) == 1, (what, text)
            at = lines.index(text)
            lines[at : at + 1] = {"-": [], "=": [text], "!": [f"{text}  # here"]}[mark]
        at += mark != "-"
    source = "\n".join(lines) + "\n"
    assert source.count("# here") == 1, what
    return what, (check, message, source)


BROKEN = dict(map(broken, re.split(r"\n(?=\w)", CHANGES.strip())))
