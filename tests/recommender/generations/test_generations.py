import hashlib
import json
import multiprocessing
import pickle
import shutil

import numpy as np
import pytest

from recommender import BayesianMF, BiasedALS, ImplicitALS, Ratings, load_generation
from recommender.errors import (
    DamagedGenerationError,
    GenerationNotFoundError,
    IncompatibleGenerationError,
    InvalidInputError,
)
from recommender.generations import (
    current_number,
    generation_numbers,
    generation_path,
    list_generations,
    publish,
    read_manifest,
    write_generation,
)
from recommender.models.factor_model import FactorModel
from tests.recommender.worlds import checkerboard, low_rank_stars


@pytest.fixture(scope="module")
def ratings():
    board = checkerboard(12)
    ids = [f"u{user}" for user in board.user_rows], [f"i{item}" for item in board.indices]
    return Ratings.from_arrays(*ids, 1 + np.arange(board.n_ratings) % 5)


@pytest.fixture(scope="module")
def models(ratings):
    return ImplicitALS(factors=3).fit(ratings), BiasedALS(factors=2).fit(ratings)


def write(folder, models, **described):
    given = {"watermark": 7, "metrics": {"ndcg": 0.5}, "options": {"a": {"b": 1}}}
    return write_generation(folder, *models, trained_at="2026-11-23T10:00:00Z", **given | described)


@pytest.fixture
def published(tmp_path, models):
    number = write(tmp_path, models)
    publish(tmp_path, number)
    return tmp_path


def test_what_is_opened_answers_as_what_was_written(published, models):
    opened = load_generation(published)
    assert opened.number == 1
    assert (opened.manifest.watermark, opened.manifest.metrics) == (7, {"ndcg": 0.5})
    for before, after in zip(models, (opened.ranking, opened.stars), strict=True):
        np.testing.assert_array_equal(before.user_factors, after.user_factors)
        assert after.objective == before.objective
        for user in before.user_ids:
            for a, b in zip(before.recommend(user), after.recommend(user), strict=True):
                np.testing.assert_array_equal(a, b)
        told = [model.explain("u3", "i4").contributions for model in (before, after)]
        np.testing.assert_allclose(*told)
        folded = [model.fold_in(["i1", "i2"], [5, 1]).vector for model in (before, after)]
        np.testing.assert_array_equal(*folded)


@pytest.mark.parametrize("n_levels", [1, 5, 300])
def test_the_ratings_come_back_as_they_were(tmp_path, n_levels):
    board = checkerboard(40)
    stars = (np.arange(board.n_ratings) % n_levels).astype(np.float32)
    ratings = Ratings(board.users, board.items, board.by_user.with_values(stars))
    model = ImplicitALS(factors=2, epochs=1).fit(ratings)
    publish(tmp_path, write(tmp_path, (model, None)))
    there = load_generation(tmp_path).ranking.ratings.by_user
    for name in ("indptr", "indices", "codes", "levels", "values"):
        before, after = getattr(ratings.by_user, name), getattr(there, name)
        assert after.dtype == before.dtype
        np.testing.assert_array_equal(after, before)
    np.testing.assert_array_equal(there.values, stars)


def test_ids_that_are_numbers_survive_as_numbers(tmp_path):
    model = ImplicitALS(factors=2).fit(checkerboard(6))
    publish(tmp_path, write(tmp_path, (model, None)))
    opened = load_generation(tmp_path)
    assert opened.stars is None
    assert opened.ranking.user_ids.tolist() == list(range(6))


def test_arrays_are_mapped_not_read(published):
    factors = load_generation(published).ranking.item_factors
    base = factors
    while base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        factors[0] = 1


def test_numbers_go_up_and_the_manifests_are_listed_newest_first(tmp_path, models):
    assert current_number(tmp_path) is None
    assert generation_numbers(tmp_path / "not there") == []
    assert [write(tmp_path, models, watermark=w) for w in (1, 2, 3)] == [1, 2, 3]
    assert current_number(tmp_path) is None
    assert [m.watermark for m in list_generations(tmp_path)] == [3, 2, 1]
    publish(tmp_path, 3)
    publish(tmp_path, 2)  # back again
    assert current_number(tmp_path) == 2
    assert load_generation(tmp_path).manifest.watermark == 2
    assert load_generation(generation_path(tmp_path, 3)).manifest.watermark == 3


def test_a_folder_under_another_number_is_refused(published):
    shutil.copytree(generation_path(published, 1), generation_path(published, 7))
    publish(published, 7)
    with pytest.raises(DamagedGenerationError, match="it is generation 1"):
        load_generation(published)


def test_a_server_under_another_user_may_read_it(published):
    assert generation_path(published, 1).stat().st_mode & 0o777 == 0o755
    for path in generation_path(published, 1).iterdir():
        assert path.stat().st_mode & 0o044 == 0o044


def test_a_missing_folder_is_missing_and_a_spoilt_manifest_is_damaged(published):
    with pytest.raises(GenerationNotFoundError):
        read_manifest(generation_path(published, 9))
    (generation_path(published, 1) / "manifest.json").write_text("{")
    with pytest.raises(DamagedGenerationError):
        read_manifest(generation_path(published, 1))


def test_a_number_that_is_not_there_is_not_published(published):
    with pytest.raises(GenerationNotFoundError, match="no generation 9"):
        publish(published, 9)
    assert current_number(published) == 1


@pytest.mark.parametrize("where", ["", "gen-000009"])
def test_nothing_there_is_said(tmp_path, where):
    with pytest.raises(GenerationNotFoundError):
        load_generation(tmp_path / where)


@pytest.mark.parametrize(
    "content", [b"", b"seven", b"-1", b"0", b"1.5", b"\xff\xfe", b"9" * 300, b"1000000000"]
)
def test_a_garbled_pointer_is_named(published, content):
    (published / "CURRENT").write_bytes(content)
    with pytest.raises(DamagedGenerationError, match="CURRENT must hold the number"):
        load_generation(published)


def arrays_of(folder):
    return sorted(path.name for path in generation_path(folder, 1).glob("*.npy"))


def test_every_file_that_is_cut_short_or_missing_is_found(published, tmp_path_factory):
    for name in [*arrays_of(published), "manifest.json"]:
        for damage in ("cut", "gone", "empty"):
            copy = tmp_path_factory.mktemp("damaged") / "models"
            shutil.copytree(published, copy)
            victim = generation_path(copy, 1) / name
            if damage == "gone":
                victim.unlink()
            else:
                victim.write_bytes(victim.read_bytes()[: -3 if damage == "cut" else 0])
            with pytest.raises(DamagedGenerationError):
                load_generation(copy)


def test_every_flipped_bit_of_an_array_is_found(published):
    rng = np.random.default_rng(0)
    for name in arrays_of(published):
        victim = generation_path(published, 1) / name
        good = victim.read_bytes()
        for place in {128, len(good) - 1, int(rng.integers(128, len(good)))}:
            bad = bytearray(good)
            bad[place] ^= 1 << int(rng.integers(8))
            victim.write_bytes(bad)
            with pytest.raises(DamagedGenerationError):
                load_generation(published)
        victim.write_bytes(good)
    load_generation(published)


def test_a_header_that_asks_for_32_gib_gets_nothing(published):
    victim = generation_path(published, 1) / "ranking.item_factors.npy"
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (134217728, 64), }"
    padded = header.ljust(117) + b"\n"
    victim.write_bytes(b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded)
    manifest_path = generation_path(published, 1) / "manifest.json"
    document = json.loads(manifest_path.read_text())
    document["arrays"]["ranking.item_factors"]["shape"] = [134217728, 64]
    manifest_path.write_text(json.dumps(document))
    with pytest.raises(DamagedGenerationError, match="its header needs 34359738"):
        load_generation(published)


def test_a_pickle_is_never_opened(published, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    victim = generation_path(published, 1) / "items.text.npy"
    with victim.open("wb") as file:
        np.save(file, np.array([Trap()], dtype=object), allow_pickle=True)
    with pytest.raises(DamagedGenerationError, match="plain numbers"):
        load_generation(published)
    victim.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(DamagedGenerationError):
        load_generation(published)
    assert not (tmp_path / "sprung").exists()


def edited(folder, edit):
    path = generation_path(folder, 1) / "manifest.json"
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize("array", ["ranking.user_factors", "stars.item_biases"])
def test_numbers_that_are_not_finite_are_refused_even_when_the_manifest_vouches(published, array):
    victim = generation_path(published, 1) / f"{array}.npy"
    numbers = np.load(victim)
    numbers.flat[0] = np.inf
    np.save(victim, numbers)
    honest = hashlib.sha256(numbers.data).hexdigest()
    edited(published, lambda d: d["arrays"][array].update(sha256=honest))
    with pytest.raises(DamagedGenerationError, match="not finite"):
        load_generation(published)


@pytest.mark.parametrize(
    ("array", "numbers"),
    [
        ("codes", lambda codes: codes + np.uint8(3)),  # beyond the last of the five levels
        ("codes", lambda codes: codes.astype(np.int8)),
        ("codes", lambda codes: codes.astype(np.float32)),
        ("codes", lambda codes: codes[1:]),
        ("levels", lambda levels: levels[::-1]),
        ("levels", lambda levels: np.repeat(levels[:1], len(levels))),
        ("levels", lambda levels: np.append(levels[:-1], np.float32(np.inf))),
        ("levels", lambda levels: np.append(levels[:-1], np.float32(np.nan))),
        ("levels", lambda levels: levels[:-1]),
        ("levels", lambda levels: levels[:0]),
        ("levels", lambda levels: levels.astype(np.float64)),
        ("levels", lambda levels: levels[:, None]),
        ("indptr", lambda indptr: indptr[:, None]),
        ("indices", lambda indices: -1 - indices.astype(np.int32)),
        ("indices", lambda indices: indices.astype(np.int64)),
        ("indices", lambda indices: indices + np.uint16(10)),
        ("indptr", lambda indptr: indptr[::-1]),
    ],
)
def test_ratings_that_lead_nowhere_are_refused_even_when_the_manifest_vouches(
    published, array, numbers
):
    victim = generation_path(published, 1) / f"ratings.{array}.npy"
    wrong = np.ascontiguousarray(numbers(np.load(victim)))
    np.save(victim, wrong)
    honest = {
        "shape": list(wrong.shape),
        "dtype": wrong.dtype.str,
        "sha256": hashlib.sha256(wrong.data).hexdigest(),
    }
    edited(published, lambda d: d["arrays"][f"ratings.{array}"].update(honest))
    with pytest.raises(DamagedGenerationError, match="ratings do not fit together"):
        load_generation(published)


def test_a_bayesian_model_keeps_its_intervals_and_leaves_moments_behind(tmp_path):
    ratings = low_rank_stars(30, 20)
    stamped = Ratings(
        ratings.users, ratings.items, ratings.by_user, np.arange(ratings.n_ratings) * 86_400
    )
    ranking, stars = ImplicitALS(2, epochs=1).fit(stamped), BayesianMF(3, samples=4).fit(stamped)
    publish(tmp_path, write(tmp_path, (ranking, stars)))
    opened = load_generation(tmp_path).stars
    asked = stars.user_ids[:5], stars.item_ids[:5]
    np.testing.assert_array_equal(opened.predict(*asked), stars.predict(*asked))
    for one, other in zip(
        opened.predict_interval(*asked), stars.predict_interval(*asked), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert opened.times is None
    folded = opened.fold_in(stars.item_ids[:3], [5, 1, 3])
    np.testing.assert_array_equal(
        folded.vector, stars.fold_in(stars.item_ids[:3], [5, 1, 3]).vector
    )


@pytest.mark.parametrize(
    ("model", "field", "value"),
    [
        ("ranking", "typical_value", 0), ("ranking", "regularization", -0.1),
        ("ranking", "weighting", "loud"), ("ranking", "weight_power", "2"),
        ("ranking", "frequency_scaling", float("nan")), ("ranking", "unobserved_weight", None),
        ("stars", "noise_variance", -1.0), ("stars", "bias_variance", 0),
        ("stars", "bias_unit", float("inf")), ("stars", "item_variance", True),
    ],
)  # fmt: skip
def test_an_objective_that_cannot_be_is_refused_on_opening(tmp_path, ratings, model, field, value):
    stars = BayesianMF(factors=2, samples=2).fit(ratings)
    publish(tmp_path, write(tmp_path, (ImplicitALS(factors=2).fit(ratings), stars)))
    edited(tmp_path, lambda d: d["models"][model]["objective"].update({field: value}))
    with pytest.raises(DamagedGenerationError, match=field):
        load_generation(tmp_path, verify=False)


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_a_mean_that_is_no_number_is_refused_on_opening(published, value):
    edited(published, lambda d: d["models"]["stars"].update(global_bias=value))
    with pytest.raises(DamagedGenerationError, match="global_bias must be a number"):
        load_generation(published)


def test_a_spread_below_zero_is_refused_on_opening(tmp_path, ratings):
    stars = BayesianMF(factors=2, samples=2).fit(ratings)
    publish(tmp_path, write(tmp_path, (ImplicitALS(factors=2).fit(ratings), stars)))
    victim = generation_path(tmp_path, 1) / "stars.user_spread.npy"
    numbers = np.load(victim)
    numbers.flat[0] = -1
    np.save(victim, numbers)
    with pytest.raises(DamagedGenerationError, match="spread has numbers below 0"):
        load_generation(tmp_path, verify=False)


def test_items_in_four_bytes_are_read_too(published):
    victim = generation_path(published, 1) / "ratings.indices.npy"
    narrow = np.load(victim)
    wide = narrow.astype(np.int32)
    np.save(victim, wide)
    honest = {"dtype": wide.dtype.str, "sha256": hashlib.sha256(wide.data).hexdigest()}
    edited(published, lambda d: d["arrays"]["ratings.indices"].update(honest))
    indices = load_generation(published).ranking.ratings.indices
    assert indices.dtype == np.uint16
    np.testing.assert_array_equal(indices, narrow)


@pytest.mark.parametrize("version", [1, 99, "2", None])
def test_another_format_is_refused_with_what_to_do(published, version):
    edited(published, lambda d: d.update(format_version=version))
    said = rf"format {version!r}.*reads format 2.*projectionist train"
    with pytest.raises(IncompatibleGenerationError, match=said):
        load_generation(published)


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d.pop("watermark"),
        lambda d: d.update(watermark="high"),
        lambda d: d.update(watermark=-1),
        lambda d: d.update(watermark=2**70),
        lambda d: d.update(models={}),
        lambda d: d.update(models=[]),
        lambda d: d["models"]["ranking"].pop("objective"),
        lambda d: d["models"]["ranking"]["objective"].update(kind="magic"),
        lambda d: d["models"]["ranking"].update(global_bias="high"),
        lambda d: d["arrays"].pop("ranking.user_factors"),
        lambda d: d["arrays"].pop("users.offsets"),
        lambda d: d["arrays"].update({"../../etc/passwd": {}}),
        lambda d: d["arrays"]["ranking.user_factors"].update(dtype="<f8"),
        lambda d: d["arrays"]["ranking.user_factors"].update(shape=[1, 1]),
        lambda d: d["arrays"]["ranking.user_factors"].update(sha256="0" * 64),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(published, edit):
    edited(published, edit)
    with pytest.raises(DamagedGenerationError):
        load_generation(published)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '"text"', "[" * 100_000])
def test_a_manifest_that_is_none_is_refused(published, text):
    (generation_path(published, 1) / "manifest.json").write_text(text)
    with pytest.raises(DamagedGenerationError):
        load_generation(published)


def test_a_model_that_is_not_finite_is_not_kept_and_leaves_nothing(tmp_path, models):
    ranking, _ = models
    bad = ranking.item_factors.copy()
    bad[3, 1] = np.nan
    broken = FactorModel(ranking.user_factors, bad, ranking.ratings, ranking.objective)
    with pytest.raises(InvalidInputError, match=r"ranking\.item_factors .* not finite"):
        write(tmp_path, (broken, None))
    assert generation_numbers(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def _write_ten(folder):
    model = ImplicitALS(factors=2, epochs=1, threads=1).fit(checkerboard(6))
    for _ in range(10):
        publish(folder, write(folder, (model, None)))


def test_two_trainers_at_once_take_different_numbers(tmp_path):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_ten, args=(tmp_path,)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert generation_numbers(tmp_path) == list(range(1, 21))
    for number in generation_numbers(tmp_path):
        assert load_generation(generation_path(tmp_path, number)).number == number
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {"CURRENT"}


def test_stars_of_a_generation_predict_as_before(tmp_path):
    ratings = low_rank_stars()
    ranking, stars = ImplicitALS(factors=2).fit(ratings), BiasedALS(factors=2).fit(ratings)
    publish(tmp_path, write(tmp_path, (ranking, stars)))
    opened = load_generation(tmp_path).stars
    pairs = ratings.users.ids[ratings.user_rows], ratings.items.ids[ratings.indices]
    np.testing.assert_array_equal(opened.predict(*pairs), stars.predict(*pairs))
