"""The file of the best options: kept up to date, and never at the cost of somebody else's."""

import pytest

from recommender.tuning import BestFile, Trial, read_options
from recommender.tuning.findings import findings_of

TRIALS = [
    Trial(number, {}, {"regularization": float(number + 1)}, "complete", score)
    for number, score in enumerate((0.9, 0.95, 0.8, 0.85, 0.7))
]


@pytest.fixture
def file(tmp_path):
    def file(model="biases", replace=False, **about):
        return BestFile(tmp_path / "best.toml", model, about, False, replace)

    return file


def after(number):
    """What the first so many trials have found."""
    return findings_of(TRIALS[:number], larger_is_better=False)


def test_after_any_trial_a_later_run_goes_on(file):
    for number in range(1, 6):
        first, later = file(data="x"), file(data="x")
        first.path.unlink(missing_ok=True)
        first.go_on(None)
        first.write(after(number))
        later.go_on(after(5))
        later.write(after(5))
        assert read_options(later.path) == ("biases", {"regularization": 5.0})


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("regularization = 3.0", "regularization = 3.5"),
        lambda text: text.replace("trials = 4", "trials = 2"),
        lambda text: text.replace("trials = 4", "trials = 99"),
        lambda text: text.replace("trials = 4", "trials = 0"),
        lambda text: text.replace("trials = 4", "trials = four"),
        lambda text: text + "# mine\n",
        lambda text: text + "x" * 70_000,
        lambda text: text.replace("biases", "ease"),
        lambda text: text.replace('data = "x"', 'data = "y"'),
        lambda _: "",
        lambda _: "\0",
    ],
)
def test_what_this_study_has_not_written_stays(file, change):
    first, later = file(data="x"), file(data="x")
    first.write(after(4))
    first.path.write_text(change(first.path.read_text()))
    before = first.path.read_bytes()
    with pytest.raises(FileExistsError, match=r"not as this study wrote it: .*--force") as caught:
        later.go_on(after(5))
    assert caught.value.filename == str(later.path)
    assert later.path.read_bytes() == before
    allowed = file(data="x", replace=True)
    allowed.go_on(after(5))
    allowed.write(after(5))
    assert read_options(allowed.path)[1] == {"regularization": 5.0}


def test_before_anything_is_found_no_file_is_of_this_study(file):
    file().write(after(1))
    with pytest.raises(FileExistsError, match="not as this study wrote it"):
        file().go_on(None)


def test_what_somebody_writes_during_the_search_stays(file):
    search = file()
    search.go_on(None)
    search.write(after(1))
    search.write(after(3))
    search.path.write_text("mine")
    with pytest.raises(FileExistsError, match="somebody else has written it since"):
        search.write(after(5))
    assert search.path.read_text() == "mine"
    late = file()
    with pytest.raises(FileExistsError, match="somebody else has written it since"):
        late.write(after(1))
    search.path.unlink()
    search.write(after(5))
    assert read_options(search.path)[1] == {"regularization": 5.0}
