"""`wisard` predicts what the counters of WiSARD networks would, one for each bit."""

import numpy as np
from fitting import fit

import weightless as ao
from PerUser.wisard import WisardRecommender
from recbench.data.encodings.thermometer import encode_ratings


def test_patterns_predict_what_counters_do(train, movies):
    model = fit(WisardRecommender(n=3, tuples=20, margin=2), train, movies, seed=5)
    tuples = ao.draw_tuples(movies.bits.shape[1], 3, 20, seed=5)
    for user in (0, 1, 5):
        memories = [ao.Wisard(tuples, classes=2, margin=2) for _ in range(10)]
        mine = train.take(train.user == user)
        for movie, bits in zip(mine.movie, encode_ratings(mine.stars, "half_stars"), strict=True):
            for memory, bit in zip(memories, bits, strict=True):
                memory.learn(movies.bits[movie], int(bit))
        found = model.predict_bits(np.full(20, user), np.arange(20))
        for movie, answers in enumerate(found.tolist()):
            asked = movies.bits[movie]
            assert answers == [memory.predict(asked).label for memory in memories]
