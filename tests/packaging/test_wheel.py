"""The wheel and the sdist: what is in them, and that the wheel works without this checkout."""

from __future__ import annotations

import re
import subprocess
import tarfile
import time
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from recommender.version import __version__
from tests.packaging.installed import ROOT, build, environment, install, starting

PAGES = ("/", "/map", "/docs")
USERS = (1, 2, 777, 2000)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory):
    """The folder of programs of an environment that has the wheel and not the checkout."""
    return install(wheel, tmp_path_factory.mktemp("environment") / "venv")


def sources(folder):
    """Every file of a folder that is no cache, as a wheel names it."""
    for path in sorted((ROOT / folder).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
            yield path.relative_to(ROOT).as_posix()


def test_the_wheel_holds_the_packages_and_the_bundled_data_and_nothing_else(names):
    info = f"projectionist-{__version__}.dist-info/"
    expected = {*sources("app"), *sources("recommender")}
    for name in ("course", "demo"):
        expected |= {
            path.replace("data/", "recommender/bundled/", 1) for path in sources(f"data/{name}")
        }
    packed = {name for name in names if not name.startswith(info)}
    assert packed == expected
    assert {name.removeprefix(info) for name in names - packed} == {
        "METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE", "licenses/NOTICE",
    }  # fmt: skip


@pytest.mark.parametrize(
    "needed",
    [
        "app/py.typed",
        "app/store/migrations/env.py",
        "app/store/migrations/versions/0001_first_tables.py",
        "app/web/docs.html",
        "app/web/index.html",
        "app/web/map.html",
        "app/web/swagger/LICENSE",
        "app/web/swagger/NOTICE",
        "app/web/swagger/swagger-ui-bundle.js",
        "app/web/swagger/swagger-ui-bundle.js.LICENSE.txt",
        "app/web/swagger/swagger-ui.css",
        "recommender/bundled/course/movie_factors.csv",
        "recommender/bundled/course/ratings.csv",
        "recommender/bundled/demo/movies.csv",
        "recommender/bundled/demo/ratings.csv",
        "recommender/bundled/demo/users.csv",
        "recommender/py.typed",
    ],
)
def test_the_wheel_holds(needed, names):
    assert needed in names


def test_nobody_elses_ratings_are_in_the_wheel(wheel, names):
    """The course and the demo are ours; real people's ratings are not ours to give away."""
    code = {".py", ".typed", ".html", ".css", ".js", ".svg", ".md", ".txt", ""}
    tables = {name for name in names if Path(name).suffix not in code}
    ratings = {name for name in tables if "rating" in name}
    assert {Path(name).suffix for name in tables} == {".csv"}, "databases, archives, arrays?"
    assert all(name.startswith("recommender/bundled/") for name in tables)
    assert ratings == {f"recommender/bundled/{name}/ratings.csv" for name in ("course", "demo")}
    with zipfile.ZipFile(wheel) as archive:
        for name in ratings:
            own = ROOT / name.replace("recommender/bundled/", "data/")
            assert archive.read(name) == own.read_bytes()


def test_the_wheel_holds_no_path_of_the_machine_that_built_it(wheel):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            assert str(ROOT).encode() not in archive.read(name), name


def test_what_the_wheel_says_of_itself(wheel, names):
    (metadata,) = (name for name in names if name.endswith("/METADATA"))
    with zipfile.ZipFile(wheel) as archive:
        said = message_from_bytes(archive.read(metadata))
        notice = archive.read(metadata.replace("METADATA", "licenses/NOTICE")).decode()
        commands = archive.read(metadata.replace("METADATA", "entry_points.txt")).decode()
    assert said["License-Expression"] == "Apache-2.0"
    assert said["Requires-Python"] == ">=3.11"
    assert not [line for line in said.get_all("Requires-Dist") if "@" in line]
    assert "projectionist = app.entry:main" in commands
    assert "The Projectionist authors" in notice
    assert "Swagger UI" in notice


def test_the_sdist_holds_what_a_clone_needs_and_builds_the_same_wheel(names, tmp_path):
    sdist = build("sdist", ROOT, tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.glob("projectionist-*")
    needed = ("Makefile", "README.md", "LICENSE", "NOTICE", "constraints/run.txt", "Dockerfile")
    assert [name for name in needed if not (source / name).is_file()] == []
    assert (source / "tests" / "packaging" / Path(__file__).name).is_file()
    with zipfile.ZipFile(build("wheel", source, tmp_path / "wheel")) as archive:
        assert set(archive.namelist()) == names


def test_the_environment_has_the_wheel_and_not_the_checkout(programs, tmp_path):
    script = (
        "import app, recommender, sys; from importlib.metadata import distribution as found;"
        "print(app.__file__, recommender.__file__, found('projectionist').locate_file('.'),"
        " *sys.path, sep='\\n')"
    )
    answer = subprocess.run(
        [programs / "python", "-c", script],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = answer.stdout.splitlines()
    own = programs.parent.resolve()
    for place in found[:3]:
        assert Path(place).resolve().is_relative_to(own), place
    places = [(tmp_path / place).resolve() for place in found[3:]]  # "" is where it was started
    holding = [place for place in places if (place / "app").is_dir()]
    assert len(holding) == 1
    assert holding[0].is_relative_to(own)


def test_run_from_the_wheel_is_run_from_the_checkout(programs, tmp_path):
    """Pages, data, training and answers; then a second start with what the first has stored."""
    mine, theirs = tmp_path / "empty", tmp_path / "beside"
    mine.mkdir()
    theirs.mkdir()
    checkout = [programs / "python", "-m", "app.cli"]
    with (
        starting([programs / "projectionist"], mine) as wheel,
        starting(checkout, theirs, PYTHONPATH=str(ROOT)) as twin,
    ):
        wheel.wait()
        twin.wait()
        assert {path.name for path in mine.iterdir()} == {"var"}
        for page in PAGES:
            shown = wheel.get(page)
            assert shown.content == twin.get(page).content
            parts = re.findall(r"""(?:src|href)="(/static/[^"]+)""", shown.text)
            assert parts
            for part in parts:
                assert wheel.get(part).content
        assert wheel.get("/openapi.json").json() == twin.get("/openapi.json").json()
        assert wheel.get("/v1/map/meta?model=course").json()["movies"] == 5
        for user in USERS:
            path = f"/v1/users/{user}/recommendations?n=20"
            ours, expected = (each.get(path).json()["movies"] for each in (wheel, twin))
            assert len(ours) == 20
            assert [movie["movie_id"] for movie in ours] == [m["movie_id"] for m in expected]
        lists = {wheel.get(f"/v1/users/{user}/recommendations?n=20").text for user in USERS}
        assert len(lists) == len(USERS), "everyone gets the same list"

        chosen = wheel.get("/v1/users/1/recommendations?n=1").json()["movies"][0]["movie_id"]
        stored = wheel.http.put(f"/v1/users/1/ratings/{chosen}", json={"rating": 4.5})
        assert stored.status_code == 200
        assert wheel.stop() == 0
        assert "importing" in wheel.said
        assert "Warning" not in wheel.said
        assert twin.stop() == 0

    begin = time.monotonic()
    with starting([programs / "projectionist"], mine) as again:
        again.wait()
        seconds = time.monotonic() - begin
        assert again.get("/readyz").json()["generation"] == 1
        kept = again.get("/v1/users/1/ratings?limit=500").json()["ratings"]
        assert [line["rating"] for line in kept if line["movie_id"] == chosen] == [4.5]
        assert again.stop() == 0
        assert "importing" not in again.said
        assert "Preparing the solver" not in again.said
    assert seconds < 30, "a second start imports and trains nothing"


def test_folders_that_are_named_like_our_packages_are_nobodys_business(programs, tmp_path):
    """Many projects have a folder ``app``; the command works in theirs too."""
    folder = tmp_path / "project"
    for package in ("app", "recommender"):
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").write_text("raise SystemExit('the wrong one')\n")
    pairs = [(user, movie) for user in range(9) for movie in range(9) if (user * movie) % 5]
    rows = [f"u{user},m{movie},{1 + (user + movie) % 2 * 4}" for user, movie in pairs]
    (folder / "own.csv").write_text("\n".join(["user,item,rating", *rows]) + "\n")
    with starting([programs / "projectionist"], folder, "--dataset", "own.csv") as server:
        server.wait()
        assert server.get("/v1/users/u1/recommendations?exclude_seen=false").json()["movies"]
        assert server.stop() == 0
        assert "the wrong one" not in server.said
