import hashlib
import json

import numpy as np
import pytest

from recommender import ImplicitALS, load_generation
from recommender.attributes import AttributeMap, ItemAttributes, LearnedAttributes
from recommender.errors import DamagedGenerationError, InvalidInputError
from recommender.generations import generation_path, write_generation
from recommender.training import Recipe, train
from tests.recommender.worlds import checkerboard


def films(n=20):
    return ItemAttributes.from_movies(
        [["Comedy", "Été"] if item % 2 == 0 else ["Drama"] for item in range(n)],
        [1990 + item for item in range(n)],
        [["cult", "日本"] if item % 3 == 0 else [] for item in range(n)],
    )


@pytest.fixture(scope="module")
def trained():
    return train(checkerboard(20), Recipe(ImplicitALS(factors=3)), items=films())


def write(folder, trained, **changed):
    given = {"stars": trained.stars, "attributes": trained.attributes} | changed
    stars = given.pop("stars")
    return write_generation(
        folder, trained.ranking, stars, watermark=1, metrics={}, options={},
        trained_at="2026-11-24T00:00:00Z", **given,
    )  # fmt: skip


@pytest.fixture
def written(tmp_path, trained):
    write(tmp_path, trained)
    return generation_path(tmp_path, 1)


def rewrite(folder, name, array):
    """Put another array in the place of one, as if it had been written so."""
    manifest = json.loads((folder / "manifest.json").read_text())
    if array is None:
        (folder / f"{name}.npy").unlink()
        del manifest["arrays"][name]
    else:
        np.save(folder / f"{name}.npy", array)
        manifest["arrays"][name] = {
            "shape": list(array.shape),
            "dtype": array.dtype.str,
            "sha256": hashlib.sha256(np.ascontiguousarray(array).data).hexdigest(),
        }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_what_is_opened_says_of_movies_what_was_learned(written, trained):
    opened = load_generation(written).attributes
    asked = ItemAttributes.from_movies(
        [["comedy"], ["drama", "unheard of"], []], [2031, None, 1990], [["日本"], ["new"], []]
    )
    for before, after in (
        (trained.attributes.ranking, opened.ranking),
        (trained.attributes.stars, opened.stars),
    ):
        assert after.features.names == before.features.names
        np.testing.assert_array_equal(after.predict(asked), before.predict(asked))
        np.testing.assert_array_equal(after.knows(asked), before.knows(asked))
    assert "tag: 日本" in opened.ranking.features.names


def test_a_generation_without_opens_as_before(tmp_path, trained):
    write(tmp_path, trained, attributes=None)
    opened = load_generation(generation_path(tmp_path, 1))
    assert opened.attributes is None
    assert opened.stars is not None
    assert not list(tmp_path.glob("*/attributes*"))


def test_a_model_that_ranks_alone_has_its_map_alone(tmp_path, trained):
    alone = LearnedAttributes(trained.attributes.ranking)
    write(tmp_path, trained, stars=None, attributes=alone)
    opened = load_generation(generation_path(tmp_path, 1)).attributes
    assert opened.stars is None
    np.testing.assert_array_equal(opened.ranking.table, alone.ranking.table)


def test_items_of_which_nothing_is_known_are_no_mistake(tmp_path):
    bare = ItemAttributes.from_movies([[]] * 20, [None] * 20, [[]] * 20)
    trained = train(checkerboard(20), Recipe(ImplicitALS(factors=3)), items=bare)
    write(tmp_path, trained)
    opened = load_generation(generation_path(tmp_path, 1)).attributes
    assert len(opened.ranking.features) == 3


def test_the_tables_are_mapped_not_read(written):
    table = load_generation(written).attributes.ranking.table
    while table.base is not None and not isinstance(table, np.memmap):
        table = table.base
    assert isinstance(table, np.memmap)


def test_what_was_learned_of_other_models_is_not_written(tmp_path, trained):
    ranking = trained.attributes.ranking
    narrow = AttributeMap(ranking.features, ranking.table[:, :-1])
    for attributes in (
        LearnedAttributes(narrow, trained.attributes.stars),
        LearnedAttributes(ranking),
    ):
        with pytest.raises(InvalidInputError, match=r"must have \d+ columns"):
            write(tmp_path, trained, attributes=attributes)
    with pytest.raises(InvalidInputError, match="must have no columns"):
        write(tmp_path, trained, stars=None)
    assert not list(tmp_path.iterdir())


def spoilt(array, at, value):
    changed = array.copy()
    changed[at] = value
    return changed


DAMAGE = {
    "a table that is not finite": ("ranking", lambda a: spoilt(a, (0, 0), np.nan), "not finite"),
    "another table that is not": ("stars", lambda a: spoilt(a, (1, 1), np.inf), "not finite"),
    "a row too few": ("ranking", lambda a: a[1:].copy(), "a row for each"),
    "a column too few": ("stars", lambda a: a[:, 1:].copy(), "columns, the factors and a bias"),
    "another type": ("ranking", lambda a: a.astype(np.float64), "must be float32"),
    "another number of dimensions": ("ranking", lambda a: a[:, 0].copy(), "must be float32"),
    "no table": ("ranking", lambda _: None, "ranking"),
    "a table of a model without one": ("stars", lambda _: None, "found none"),
    "decades out of order": ("decades", lambda a: a[::-1].copy(), "decades"),
    "decades twice": ("decades", lambda a: np.full_like(a, a[0]), "decades"),
    "decades of another type": ("decades", lambda a: a.astype(np.int32), "decades"),
    "no decades": ("decades", lambda _: None, "decades"),
    "offsets beyond the text": ("genres_offsets", lambda a: spoilt(a, -1, 999), "offsets"),
    "no text": ("tags_text", lambda _: None, "text"),
    "text that is none": ("tags_text", lambda a: spoilt(a, 0, 0xFF), "UTF-8"),
    "a genre too few": (
        "genres_offsets",
        lambda a: np.delete(a, 1),
        "a row for each",
    ),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_what_is_damaged_is_refused_as_damaged(written, how):
    name, change, said = DAMAGE[how]
    before = np.load(written / f"attributes.{name}.npy")
    rewrite(written, f"attributes.{name}", change(before))
    with pytest.raises(DamagedGenerationError, match=said):
        load_generation(written)


def test_names_that_are_numbers_are_refused(written):
    n_genres = 3
    rewrite(written, "attributes.genres_offsets", None)
    rewrite(written, "attributes.genres_text", None)
    rewrite(written, "attributes.genres_keys", np.arange(n_genres))
    with pytest.raises(DamagedGenerationError, match="not text"):
        load_generation(written)


def test_an_altered_table_is_noticed(written):
    path = written / "attributes.ranking.npy"
    path.write_bytes(path.read_bytes()[:-4] + b"\x00\x00\x00\x3f")
    with pytest.raises(DamagedGenerationError, match=r"attributes\.ranking\.npy was altered"):
        load_generation(written)
