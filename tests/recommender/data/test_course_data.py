"""What the course example says of itself, read from its files and computed anew."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from recommender.data.bundled import bundled_path
from recommender.data.course import Course, load_course
from recommender.errors import FileFormatError
from recommender.projection.biplot import biplot, raw_axes

if TYPE_CHECKING:
    from pathlib import Path

PRODUCTS = [
    [0.88, -1.08, 0.90, 1.09, -0.80],
    [-0.9, 1.0, -1.0, -1.0, 0.9],
    [0.38, 0.6, 1.2, -0.7, -1.18],
    [-0.11, -0.9, -0.9, 1.0, 0.91],
]
TABLE = """
Harry Potter The Triplets of Belleville Shrek The Dark Knight Rises Memento
1 0 1 1 0
0 1 0 0 1
1 1 1 0 0
0 0 0 1 1
"""


@pytest.fixture(scope="module")
def course() -> Course:
    return load_course()


def test_the_table(course: Course) -> None:
    lines = TABLE.strip().splitlines()
    assert " ".join(course.titles) == lines[0]
    assert course.ticks.astype(int).tolist() == [
        [int(c) for c in line.split()] for line in lines[1:]
    ]
    assert course.user_ids == ("1", "2", "3", "4")
    assert course.years == (2001, 2003, 2001, 2012, 2000)
    assert all(genres for genres in course.genres)


def test_the_embeddings_multiply_to_the_stated_matrix(course: Course) -> None:
    products = course.user_factors @ course.movie_factors.T
    assert np.allclose(products, PRODUCTS, rtol=0, atol=1e-12)
    assert f"{products[0, 0]:.15g}" == "0.88"


def test_every_tick_is_positive_and_every_blank_negative(course: Course) -> None:
    assert np.array_equal(course.user_factors @ course.movie_factors.T > 0, course.ticks)


def test_nearest_by_distance(course: Course) -> None:
    offsets = course.user_factors[:, None] - course.movie_factors[None]
    nearest = np.linalg.norm(offsets, axis=2).argmin(axis=1)
    assert course.titles[nearest[0]] == "Harry Potter"
    assert course.titles[nearest[2]] == "Shrek"
    best = (course.user_factors @ course.movie_factors.T).argmax(axis=1)
    assert course.titles[best[0]] == "The Dark Knight Rises"  # near is not the same as liked


def test_a_blank_that_means_disliked_needs_two_dimensions(course: Course) -> None:
    sigma = np.linalg.svd(course.matrix(blank=-1), compute_uv=False)
    assert np.allclose(sigma, [np.sqrt(12), np.sqrt(8), 0, 0], atol=1e-12)


def test_a_blank_that_means_unknown_needs_three(course: Course) -> None:
    sigma = np.linalg.svd(course.matrix(blank=0), compute_uv=False)
    assert np.allclose(sigma, [2.327, 1.608, np.sqrt(2), 0], atol=5e-4)


def test_the_data_cannot_tell_harry_potter_from_shrek(course: Course) -> None:
    harry, shrek = course.titles.index("Harry Potter"), course.titles.index("Shrek")
    assert np.array_equal(course.ticks[:, harry], course.ticks[:, shrek])
    assert not np.array_equal(course.movie_factors[harry], course.movie_factors[shrek])


def test_the_axes_read_art_house_to_blockbuster_and_children_to_adult(course: Course) -> None:
    place = dict(zip(course.titles, course.movie_factors, strict=True))
    art_house, blockbusters = ("The Triplets of Belleville", "Memento"), ("Shrek", "Harry Potter")
    assert max(place[t][0] for t in art_house) < 0 < min(place[t][0] for t in blockbusters)
    children, adult = ("Shrek", "The Triplets of Belleville"), ("The Dark Knight Rises", "Memento")
    assert max(place[t][1] for t in children) < 0 < min(place[t][1] for t in adult)


def test_the_plane_shows_the_course_exactly(course: Course) -> None:
    raw = raw_axes(course.user_factors, course.movie_factors)
    assert raw.share == 1.0
    assert np.allclose(raw.users @ raw.items.T, PRODUCTS, atol=1e-6)
    plane = biplot(course.user_factors, course.movie_factors)
    centred = np.array(PRODUCTS) - np.mean(PRODUCTS, axis=1, keepdims=True)
    assert plane.share == pytest.approx(1.0)
    assert np.allclose(plane.users @ plane.items.T, centred, atol=1e-6)


def test_the_readme_states_the_same_table_and_products(course: Course) -> None:
    text = (bundled_path("course") / "README.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in text.splitlines()
        if line.startswith("| user ")
    ]
    ticks, products = rows[:4], rows[4:]
    assert [[cell == "✓" for cell in row[1:]] for row in ticks] == course.ticks.tolist()
    assert [[float(c.replace("−", "-")) for c in row[1:]] for row in products] == PRODUCTS


def test_arrays_cannot_be_written(course: Course) -> None:
    with pytest.raises(ValueError, match="read-only"):
        course.user_factors[0, 0] = 2


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("movies.csv", None, "movies.csv: cannot be read"),
        ("user_factors.csv", "user_id,x\n1,2\n", "line 1: must have the columns user_id,x,y"),
        ("movie_factors.csv", "movie_id,x,y\n1,2,3\n", "must list the movies of movies.csv"),
        ("user_factors.csv", "user_id,x,y\n1,one,2\n", "x and y must be numbers"),
        ("ratings.csv", "user_id,movie_id,rating\n1,1,5\n9,1,5\n", "line 3: names a user"),
    ],
)
def test_a_damaged_folder_is_refused_in_words(
    tmp_path: Path, file: str, text: str | None, words: str
) -> None:
    folder = tmp_path / "course"
    shutil.copytree(bundled_path("course"), folder)
    if text is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(text, encoding="utf-8")
    with pytest.raises(FileFormatError, match=words):
        load_course(folder)
