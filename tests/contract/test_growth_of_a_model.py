"""What two times imply; times themselves are not asserted."""

from __future__ import annotations

import pytest

from recbench.checks.growth import growth, in_words


@pytest.mark.parametrize(
    ("exponent", "implied"),
    [
        (0.5, "grows in proportion (n^0.5), about 100 ms for"),
        (1.0, "grows in proportion (n^1.0), about 1.7 min for"),
        (2.0, "grows faster than the ratings (n^2.0), about 27789 h for"),
    ],
)
def test_an_exponent_is_read_from_two_times_and_carried_on(exponent, implied):
    rows = (2_000, 8_000)
    words = growth("fit", rows, tuple(1e-4 * n**exponent for n in rows))
    assert f"{implied} the 1,000,209 of MovieLens 1M" in words


def test_times_are_in_two_digits_and_what_is_too_short_says_so():
    assert growth("predict", (2_000, 8_000), (2e-5, 4e-5)) == (
        "predict: 20 µs for 2,000 ratings, 40 µs for 8,000: too short to tell how it grows"
    )
    seconds = (4e-6, 0.0031, 0.25, 72, 9000)
    assert [*map(in_words, seconds)] == ["4.0 µs", "3.1 ms", "250 ms", "1.2 min", "2.5 h"]
