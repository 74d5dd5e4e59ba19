"""Movies found while their titles are typed."""

from own_movies import catalogue_of_titles

from recbench.own_ratings.matching import Matcher
from recbench.own_ratings.search import Search


def test_search_finds_by_words_and_slips(catalogue):
    search = Search(catalogue, Matcher(catalogue))

    def names(typed, count=8):
        return [catalogue.name(row) for row in search.find(typed, count)]

    assert names("alien")[0] == "Alien (1979)"
    assert names("ALIEN (1979)") == ["Alien (1979)"]
    assert names("crusade last") == ["Indiana Jones and the Last Crusade (1989)"]
    assert names("Toy Stori")[0] == "Toy Story (1995)"
    assert names("alien (1950)")[0] == "Alien (1979)"
    assert names("") == names(" ?! ") == names("(1979)") == []
    assert len(names("t", 3)) == 3
    whole = [catalogue.name(row) for row in range(len(catalogue))]
    assert all(name in names(name) for name in whole)


def test_the_whole_name_comes_first_then_its_beginning_then_the_best_known():
    titles = ["Heat of Alien (1990)", "Aliens (1986)", "Alien 3 (1992)", "Alien (1979)"]
    other = [(), (), (), ("Das Heat-Wesen",)]
    catalogue = catalogue_of_titles(titles, other=other)
    search = Search(catalogue, Matcher(catalogue))
    assert search.find("alien", 9) == [3, 1, 2, 0]
    assert search.find("heat", 9) == [0, 3]
    assert search.find("alien (1986)", 9) == [1]
    assert search.find("alien", 2) == [3, 1]
