import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.attributes import (
    AttributeMap,
    Features,
    ItemAttributes,
)
from recommender.attributes.features import MOST_TAGS
from recommender.errors import InvalidInputError
from tests.recommender.worlds import seeds

GENRES = ["action", "comedy", "drama", "horror", "romance"]


def described(rng, n):
    """Items with one to three genres, a year, and tags of which some are rare."""
    return ItemAttributes.from_movies(
        [list(rng.choice(GENRES, rng.integers(1, 4), replace=False)) for _ in range(n)],
        rng.integers(1930, 2019, n).tolist(),
        [
            [f"tag {t}" for t in set(rng.geometric(0.2, rng.integers(0, 5)).tolist())]
            for _ in range(n)
        ],
    )


def planted(rng, attributes, d=4, noise=0.1):
    """(n, d) vectors: a linear map of the genres, and noise."""
    of_genre = dict(zip(GENRES, rng.normal(size=(len(GENRES), d)), strict=True))
    clean = np.array([sum(of_genre[g] for g in genres) for genres in attributes.genres])
    return clean, clean + noise * rng.normal(size=clean.shape)


class TestItemAttributes:
    def test_words_are_compared_without_capitals_and_spaces_around(self):
        films = ItemAttributes.from_movies(
            [["Sci-Fi", " sci-fi "], ["COMEDY"]], [1999, None], [["Mind  Blowing"], ()]
        )
        assert films.genres == (("sci-fi",), ("comedy",))
        assert films.tags == (("mind blowing",), ())
        assert films.years == (1999, None)
        assert len(films) == 2

    def test_what_no_id_could_be_is_left_out(self):
        long, control = "x" * 129, "bell\x07"
        films = ItemAttributes.from_movies([["", "  ", long, control, "\ud800", "ok"]], [1], [[]])
        assert films.genres == (("ok",),)

    def test_some_of_them_in_the_order_asked_for(self):
        films = ItemAttributes.from_movies([["a"], ["b"], ["c"]], [1, 2, 3], [["x"], [], ["z"]])
        some = films.select(np.array([2, 0]))
        assert (some.genres, some.years, some.tags) == ((("c",), ("a",)), (3, 1), (("z",), ("x",)))

    @pytest.mark.parametrize(
        ("given_", "said"),
        [
            (([[]], [], [[]]), "found 1, 0 and 1"),
            ((["Comedy"], [1], [[]]), r"genres\[0\] must be a list of text; found 'Comedy'"),
            (([[]], [1], [[3]]), r"tags\[0\] must be a list of text"),
            (([[], []], [1, 1999.5], [[], []]), r"years\[1\] must be a whole number"),
            (([[]], [True], [[]]), r"years\[0\]"),
            (([[]], [-1], [[]]), r"years\[0\]"),
            (([[]], [10_000], [[]]), "from 0 to 9999, or None; found 10000"),
        ],
    )
    def test_what_cannot_be_attributes_is_refused(self, given_, said):
        with pytest.raises(InvalidInputError, match=said):
            ItemAttributes.from_movies(*given_)


class TestFeatures:
    def test_every_column_has_a_name_and_each_row_its_ones(self):
        films = ItemAttributes.from_movies(
            [["Drama", "Comedy"], [], ["Drama"], [], []],
            [1994, 2003, None, None, None],
            [["cult"]] * 5,
        )
        features = Features.of(films)
        assert features.names == [
            *("every movie", "genre known", "year known", "genre: comedy", "genre: drama"),
            *("decade: 1990", "decade: 2000", "tag: cult"),
        ]
        assert features.matrix(films).toarray().astype(int).tolist() == [
            [1, 1, 1, 1, 1, 1, 0, 1],
            [1, 0, 1, 0, 0, 0, 1, 1],
            [1, 1, 0, 0, 1, 0, 0, 1],
            [1, 0, 0, 0, 0, 0, 0, 1],
            [1, 0, 0, 0, 0, 0, 0, 1],
        ]

    def test_tags_of_fewer_than_five_movies_are_left_out(self):
        tags = [["four", "five"]] * 4 + [["five"]]
        films = ItemAttributes.from_movies([[]] * 5, [None] * 5, tags)
        assert Features.of(films).tags.ids.tolist() == ["five"]

    def test_the_most_frequent_tags_are_kept_and_the_order_of_movies_is_nothing(self):
        tags = [[f"t{t:04}" for t in range(MOST_TAGS + 50)]] * 5 + [["t0540"]]
        forward = ItemAttributes.from_movies([[]] * 6, [None] * 6, tags)
        backward = ItemAttributes.from_movies([[]] * 6, [None] * 6, [t[::-1] for t in tags[::-1]])
        kept = Features.of(forward).tags
        assert len(kept) == MOST_TAGS
        assert "t0540" in kept
        assert kept == Features.of(backward).tags

    @pytest.mark.parametrize(("year", "decade"), [(1901, 1950), (1979, 1980), (2031, 2010)])
    def test_a_year_that_training_never_saw_is_of_the_nearest_decade(self, year, decade):
        features = Features.of(ItemAttributes.from_movies([[]] * 3, [1950, 1985, 2019], [[]] * 3))
        row = features.matrix(ItemAttributes.from_movies([[]], [year], [[]])).toarray()[0]
        assert [name for name, x in zip(features.names, row, strict=True) if x][2:] == [
            f"decade: {decade}"
        ]

    def test_what_is_known_of_nothing_is_said(self):
        features = Features.of(ItemAttributes.from_movies([["drama"]] * 5, [None] * 5, [["a"]] * 5))
        asked = ItemAttributes.from_movies(
            [["drama"], ["unheard of"], [], []], [None, None, 1999, None], [[], ["b"], [], ["a"]]
        )
        assert features.knows(asked).tolist() == [True, False, False, True]

    def test_arrays_bring_them_back(self):
        features = Features.of(described(np.random.default_rng(0), 50))
        again = Features.from_arrays(features.arrays())
        assert again.names == features.names

    @pytest.mark.parametrize("n", [0, 3])
    def test_none_at_all_come_back_too(self, n):
        features = Features.of(ItemAttributes.from_movies([[]] * n, [None] * n, [[]] * n))
        assert Features.from_arrays(features.arrays()).names == features.names
        assert len(features) == 3


def slow_fit(attributes, targets, weights, grid):
    """Ridge regression as it is written, on whole matrices, by leaving nothing to chance."""
    features = Features.of(attributes)
    whole = features.matrix(attributes).toarray()
    n_genres, n_decades = len(features.genres), len(features.decades)
    w = weights / weights.sum() * len(attributes)
    z = whole[:, 3:].copy()
    for known, block in (
        (whole[:, 1] == 1, slice(0, n_genres)),
        (whole[:, 2] == 1, slice(n_genres, n_genres + n_decades)),
        (np.ones(len(w), bool), slice(n_genres + n_decades, None)),
    ):
        if known.any() and w[known].sum():
            z[known, block] -= np.average(z[known, block], axis=0, weights=w[known])
    average = np.average(targets, axis=0, weights=w)
    root = np.sqrt(w)[:, None]
    best = None
    for ridge in grid:
        held = ridge * np.eye(z.shape[1])
        hat = root * z @ np.linalg.solve((root * z).T @ (root * z) + held, (root * z).T)
        aim = root * (targets - average)
        rss = np.square(aim - hat @ aim).sum()
        error = len(w) * rss / (len(w) - 1 - np.trace(hat)) ** 2
        if best is None or error < best[0]:
            slopes = np.linalg.solve((root * z).T @ (root * z) + held, (root * z).T @ aim)
            best = error, average + z @ slopes
    return best[1]


@given(seed=seeds, n=st.integers(60, 120), gaps=st.booleans())
@settings(max_examples=15)
def test_the_map_is_ridge_regression_on_whole_matrices(seed, n, gaps):
    rng = np.random.default_rng(seed)
    films = described(rng, n)
    _, targets = planted(rng, films)
    if gaps:
        unknown = rng.random(n) < 0.3
        films = ItemAttributes(
            tuple(() if gap else g for g, gap in zip(films.genres, unknown, strict=True)),
            tuple(None if gap else y for y, gap in zip(films.years, unknown[::-1], strict=True)),
            films.tags,
        )
    weights = rng.uniform(0.1, 2, n)
    learned = AttributeMap.fit(films, targets, weights)
    slow = slow_fit(films, targets, weights, 10.0 ** np.arange(4, -2.5, -0.5))
    np.testing.assert_allclose(learned.predict(films), slow, rtol=1e-4, atol=1e-4)


@given(seed=seeds)
@settings(max_examples=10)
def test_a_planted_map_is_recovered(seed):
    """Items that were held out land where the plan puts them, and nearest to their own kind."""
    rng = np.random.default_rng(seed)
    films = described(rng, 400)
    clean, noisy = planted(rng, films)
    learned = AttributeMap.fit(films.select(np.arange(300)), noisy[:300])
    told = learned.predict(films.select(np.arange(300, 400)))
    error = np.sqrt(np.square(told - clean[300:]).mean())
    assert error < 0.05
    assert np.square(clean[300:] - clean[:300].mean(axis=0)).mean() > 0.3
    kinds = {genres: clean[row] for row, genres in enumerate(map(frozenset, films.genres))}
    centres = np.array(list(kinds.values()))
    for vector, genres in zip(told, films.genres[300:], strict=True):
        nearest = np.square(centres - vector).sum(axis=1).argmin()
        np.testing.assert_allclose(centres[nearest], kinds[frozenset(genres)], atol=0.25)


class TestWhatIsNotKnown:
    @pytest.fixture(params=[0, 1])
    def world(self, request):
        rng = np.random.default_rng(request.param)
        films = described(rng, 200)
        bare = ItemAttributes(films.genres, films.years, ((),) * 200)
        return bare, planted(rng, bare)[1], rng.uniform(0.1, 1, 200)

    def test_of_which_nothing_is_known_is_the_mean(self, world):
        films, targets, weights = world
        learned = AttributeMap.fit(films, targets, weights)
        nothing = learned.predict(ItemAttributes.from_movies([[]], [None], [[]]))
        mean = np.average(targets, axis=0, weights=weights)
        np.testing.assert_allclose(nothing[0], mean, rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(nothing[0], learned.table[0])

    def test_words_that_are_new_are_as_if_not_there(self, world):
        films, targets, _ = world
        learned = AttributeMap.fit(films, targets)
        told = learned.predict(
            ItemAttributes.from_movies(
                [["comedy"], ["Comedy", "unheard of"]], [1990] * 2, [[], ["nobody's"]]
            )
        )
        np.testing.assert_array_equal(*told)

    def test_a_missing_year_is_the_average_year(self):
        """Of two decades, one three times as frequent; both all but exactly learned."""
        films = ItemAttributes.from_movies([[]] * 400, [1990] * 300 + [2000] * 100, [[]] * 400)
        targets = np.repeat([[0.0], [4.0]], [300, 100], axis=0)
        learned = AttributeMap.fit(films, targets)
        asked = ItemAttributes.from_movies([[]] * 3, [1995, 2005, None], [[]] * 3)
        np.testing.assert_allclose(learned.predict(asked)[:, 0], [0, 4, 1], atol=0.01)

    def test_what_has_nothing_to_do_with_the_vectors_is_not_learned(self):
        rng = np.random.default_rng(5)
        films = described(rng, 300)
        targets = rng.normal(size=(300, 8))
        told = AttributeMap.fit(films, targets).predict(films)
        assert told.std(axis=0).max() < 0.3  # without regularization about √(40 / 300)


def test_a_vector_does_not_depend_on_who_is_beside_it():
    rng = np.random.default_rng(2)
    films = described(rng, 80)
    learned = AttributeMap.fit(films, planted(rng, films)[1])
    together = learned.predict(films)
    for row in range(80):
        alone = learned.predict(films.select(np.array([row])))
        np.testing.assert_array_equal(alone[0], together[row])
    assert together.dtype == np.float32


def test_one_item_and_items_without_attributes_teach_their_mean():
    one = ItemAttributes.from_movies([["drama"]], [1990], [[]])
    np.testing.assert_array_equal(AttributeMap.fit(one, np.array([[1, 2]])).predict(one), [[1, 2]])
    bare = ItemAttributes.from_movies([[]] * 4, [None] * 4, [[]] * 4)
    told = AttributeMap.fit(bare, np.arange(4.0)[:, None], np.array([1, 0, 0, 1])).predict(bare)
    np.testing.assert_allclose(told[:, 0], 1.5)


def test_items_that_weigh_nothing_teach_nothing():
    rng = np.random.default_rng(0)
    films = described(rng, 100)
    _, targets = planted(rng, films)
    spoilt = targets.copy()
    spoilt[::2] = 1e6
    weights = np.tile([0.0, 1.0], 50)
    features = Features.of(films)
    told, untouched = (
        AttributeMap.fit(films, y, weights, features).predict(films) for y in (spoilt, targets)
    )
    np.testing.assert_allclose(told, untouched, rtol=1e-5)


@pytest.mark.parametrize(
    ("targets", "weights", "said"),
    [
        (np.zeros((2, 3)), None, r"targets of the shape \(2, 3\)"),
        (np.zeros(3), None, "a target and a weight for each"),
        (np.zeros((3, 1)), np.ones(2), r"weights of the shape \(2,\)"),
        (np.full((3, 1), np.nan), None, "must be finite"),
        (np.zeros((3, 1)), np.array([1, -1, 1]), "at least 0"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(targets, weights, said):
    films = ItemAttributes.from_movies([[]] * 3, [None] * 3, [[]] * 3)
    with pytest.raises(InvalidInputError, match=said):
        AttributeMap.fit(films, targets, weights)


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(InvalidInputError, match="at least one item"):
        AttributeMap.fit(ItemAttributes.from_movies([], [], []), np.zeros((0, 2)))
