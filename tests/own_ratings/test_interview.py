"""Movies asked one after another, answered by a script."""

import pytest

from recbench.own_ratings.interview import FILMS, MOST_ASKED, interview


class Script:
    """Answers from a list, and keeps what it was asked and told; at its end, the end of input."""

    def __init__(self, *answers):
        self.answers, self.asked, self.told = list(answers), [], []

    def ask(self, question):
        self.asked.append(question)
        if not self.answers:
            raise EOFError
        return self.answers.pop(0)


def run(session, *answers):
    script, saved = Script(*answers), []
    rated = interview(session, script.ask, script.told.append, lambda: saved.append(1))
    assert len(saved) == rated == len(session.rated)
    return script


def test_ten_movies_are_rated(session):
    script = run(session, *["4"] * 20)
    assert len(script.asked) == FILMS
    assert len(set(script.asked)) == FILMS
    assert script.asked[0].startswith(" 1. ")
    assert "0.5 to 5 in halves; Enter: not seen; q: stop" in script.told[0]


def test_movies_not_seen_are_not_asked_again(session):
    script = run(session, "", "", "3.5", "q", "5")
    assert len(script.asked) == 4
    assert len({question[4:] for question in script.asked}) == 4
    assert list(session.rated.values()) == [3.5]


def test_what_is_no_number_of_stars_is_asked_again(session):
    script = run(session, "six", "7", "3.7", "4,5", "q")
    assert len(script.asked) == 5
    assert len({*script.asked[:4]}) == 1
    assert [line.split("'")[1] for line in script.told[1:]] == ["six", "7", "3.7"]
    assert list(session.rated.values()) == [4.5]


@pytest.mark.parametrize("answers", [(), ("4",), ("q",), ("Q",), ("quit",)])
def test_it_ends_when_no_answer_comes(session, answers):
    run(session, *answers)


def test_who_knows_none_is_not_asked_for_ever(session):
    assert len(run(session, *[""] * 1000).asked) == MOST_ASKED


def test_what_was_said_is_kept_when_it_is_interrupted(session):
    def ask(_):
        if session.rated:
            raise KeyboardInterrupt
        return "4"

    saved = []
    with pytest.raises(KeyboardInterrupt):
        interview(session, ask, print, lambda: saved.append(session.profile))
    assert len(saved) == 1
