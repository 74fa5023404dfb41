"""How every store lists and searches. Inherited by ``StoreContract``."""

from __future__ import annotations

from concurrent.futures import wait
from functools import partial

import pytest

from app.store import InvalidRecord, Movie, User
from tests.contracts.store_thread_contract import put_movies

NATURAL = ["1", "2", "9", "Z", "a", "é", "10", "11", "20", "ab", "100", "tt0111161", "日本語の映画"]
NATURAL.sort(key=lambda text: (len(text), text))


class StoreListContract:
    """Natural order, pages, search."""

    @pytest.mark.parametrize("limit", [1, 2, 3, 100])
    def test_lists_run_in_natural_order_page_by_page(self, store, limit):
        put_movies(store, *reversed(NATURAL))
        wait([store.put_rating("u", movie, 3, 0) for movie in reversed(NATURAL)])
        wait([store.put_rating(user, "1", 3, 0) for user in reversed(NATURAL)])
        movies = _pages(lambda after: store.movies(after, limit), "movie_id")
        users = _pages(lambda after: store.users(after, limit), "user_id")
        rated = _pages(lambda after: store.ratings_of("u", after, limit), "movie_id")
        assert [movie.movie_id for movie in movies] == NATURAL
        assert movies == store.all_movies()
        assert [rating.movie_id for rating in rated] == NATURAL
        everybody = sorted([*NATURAL, "u"], key=lambda text: (len(text), text))
        assert [user.user_id for user in users] == everybody
        assert [user.n_ratings for user in users if user.user_id == "u"] == [len(NATURAL)]

    def test_a_list_goes_on_behind_an_id_that_has_gone(self, store):
        put_movies(store, "1", "2", "10")
        store.delete_movie("2").result()
        assert [movie.movie_id for movie in store.movies("2", 9)] == ["10"]

    @pytest.mark.parametrize(
        ("q", "found"),
        [
            ("matrix", ["1", "2", "3"]),
            ("MATRIX rel", ["2"]),
            ("matrix the", ["1", "2"]),  # "Matrix, The" begins with it; the other does not
            ("the matrix", ["2", "1"]),
            ("atrix", []),
            ("amelie", ["5"]),
            ("AMÉLIE", ["5"]),
            ("schindlers", ["6"]),
            ("schindler's", ["6"]),
            ("spiderman", ["7"]),
            ("spider-man", ["7"]),
            ("spider man", ["7"]),
            ("100%", ["9"]),
            ("100", ["9", "10"]),
            ("%", []),
            ("_", []),
            ("a_e", []),
            ("'", ["6"]),
            ("?!", ["11"]),
            ("1%' OR '1'='1", []),
            ("stromboli terra", ["12"]),
            ("smorre", ["13"]),
        ],
    )  # fmt: skip
    def test_search(self, store, q, found):
        titles = [
            "Matrix, The", "The Matrix Reloaded", "Making Of Matrix", "Mat", "Amélie",
            "Schindler's List", "Spider-Man", "Café a1e", "100% Wolf", "100 Girls", "What?!",
            "Stromboli (Stromboli, terra di Dio)", "Smørrebrød",
        ]  # fmt: skip
        for number, title in enumerate(titles, start=1):
            store.put_movie(Movie(str(number), title))
        store.put_movie(Movie("99", "Zzz")).result()
        assert [movie.movie_id for movie in store.movies(None, 99, q)] == found
        for limit in (1, 2):
            paged = _pages(partial(store.movies, limit=limit, q=q), "movie_id")
            assert [movie.movie_id for movie in paged] == found

    def test_a_blank_search_finds_everything_and_an_endless_one_is_refused(self, store):
        put_movies(store, "1", "2")
        assert len(store.movies(None, 9, "  ")) == len(store.movies(None, 9, "")) == 2
        with pytest.raises(InvalidRecord, match="200"):
            store.movies(None, 9, "a " * 101)
        assert store.movies(None, 9, "a " * 100) == []

    def test_users_are_found_by_how_their_id_begins(self, store):
        for user in ("1", "12", "2", "120", "a%b", "axb", "A%c"):
            store.put_user(User(user))
        store.put_user(User("zz")).result()
        assert [user.user_id for user in store.users(None, 9, "12")] == ["12", "120"]
        assert [user.user_id for user in store.users("12", 9, "12")] == ["120"]
        assert [user.user_id for user in store.users(None, 9, "a%")] == ["a%b"]
        assert store.users(None, 9, "%") == store.users(None, 9, "_") == []
        assert len(store.users(None, 9, "")) == 8


def _pages(read, key):
    """Read page by page until one is empty, as a client does."""
    found, after = [], None
    while page := read(after):
        assert page[-1] not in found, "a page leads back: this list would never end"
        found += page
        after = getattr(page[-1], key)
    return found
