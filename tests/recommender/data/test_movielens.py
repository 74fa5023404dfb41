"""MovieLens of every era, from files written exactly as each was, with invented content."""

from __future__ import annotations

import zipfile

import pytest

from recommender.data.dataset import read_dataset
from recommender.data.titles import split_title
from recommender.errors import FileFormatError

FLAGS = {"unknown": 0, "Comedy": 5, "Drama": 8, "War": 17}


def old_item(movie_id, title, date, *genres):
    flags = ["0"] * 19
    for genre in genres:
        flags[FLAGS[genre]] = "1"
    return "|".join([str(movie_id), title, date, "", f"http://x/{movie_id}", *flags]) + "\n"


def write_100k(folder):
    """Write what ml-100k.zip holds: tabs, pipes, Latin-1."""
    (folder / "u.data").write_bytes(b"196\t2\t3\t881250949\n186\t1\t5\t891717742\n")
    (folder / "u.item").write_bytes(
        (
            old_item(1, "Café Lumière, Le (1996)", "01-Jan-1996", "Comedy", "Drama")
            + old_item(2, "Unnamed", "13-Feb-1997", "unknown")
            + old_item(3, "unknown", "", "War")
        ).encode("latin-1")
    )
    (folder / "u.user").write_bytes(b"186|39|F|executive|00000\n196|49|M|writer|55105\n")


def write_1m(folder):
    """Write what ml-1m.zip holds: '::', Latin-1, users."""
    (folder / "ratings.dat").write_bytes(b"1::1193::5::978300760\n2::1::3::978302109\n")
    (folder / "movies.dat").write_bytes(
        "1::Café Story, A (1995)::Animation|Children's\n1193::Ran (1985)::Drama\n".encode("latin-1")
    )
    (folder / "users.dat").write_bytes(b"1::F::1::10::48067\n2::M::56::16::70072\n")


def write_10m(folder):
    """Write what ml-10m.zip holds: '::', UTF-8, half stars, no users."""
    (folder / "ratings.dat").write_bytes(b"1::122::5::838985046\n1::7::0.5::838983525\n")
    (folder / "movies.dat").write_bytes(
        "7::Café Story, A (1995)::(no genres listed)\n122::Ran: Über (1985)::Drama|War\n".encode()
    )


def write_csv(folder):
    """Write what ml-20m.zip and all later ones hold."""
    (folder / "ratings.csv").write_bytes(
        b"userId,movieId,rating,timestamp\r\n1,2,3.5,1112486027\r\n7,122,4.0,1112484676\r\n"
    )
    (folder / "movies.csv").write_bytes(
        "movieId,title,genres\r\n"
        '2,"Café Story, A (1995)",Adventure|Children\r\n'
        '122,"""Ran"", The (Ran, Der) (1985)",(no genres listed)\r\n'.encode()
    )


ERAS = {"100k": write_100k, "1m": write_1m, "10m": write_10m, "csv": write_csv}
RATINGS = {
    "100k": [(196, 2, 3.0, 881250949), (186, 1, 5.0, 891717742)],
    "1m": [(1, 1193, 5.0, 978300760), (2, 1, 3.0, 978302109)],
    "10m": [(1, 122, 5.0, 838985046), (1, 7, 0.5, 838983525)],
    "csv": [(1, 2, 3.5, 1112486027), (7, 122, 4.0, 1112484676)],
}
MOVIES = {
    "100k": [
        ("1", "Le Café Lumière", 1996, ["Comedy", "Drama"]),
        ("2", "Unnamed", 1997, []),
        ("3", "unknown", None, ["War"]),
    ],
    "1m": [
        ("1", "A Café Story", 1995, ["Animation", "Children's"]),
        ("1193", "Ran", 1985, ["Drama"]),
    ],
    "10m": [("7", "A Café Story", 1995, []), ("122", "Ran: Über", 1985, ["Drama", "War"])],
    "csv": [
        ("2", "A Café Story", 1995, ["Adventure", "Children"]),
        ("122", 'The "Ran" (Der Ran)', 1985, []),
    ],
}
USERS = {
    "100k": [("186", "39", "F", "executive"), ("196", "49", "M", "writer")],
    "1m": [("1", "under 18", "F", "K-12 student"), ("2", "56+", "M", "self-employed")],
    "10m": [],
    "csv": [],
}


def laid_out(tmp_path, era, form):
    """Write one era as a folder or a zip, flat or one folder further in."""
    folder = tmp_path / "set"
    inner = folder / "ml-inner" if "inner" in form else folder
    inner.mkdir(parents=True)
    ERAS[era](inner)
    if "zip" not in form:
        return folder
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        if "inner" in form:
            archive.mkdir("ml-inner") if hasattr(archive, "mkdir") else None
        for file in sorted(inner.iterdir()):
            archive.write(file, file.relative_to(folder))
        archive.writestr("__MACOSX/ml-inner/._u.data", "junk")
    return path


@pytest.mark.parametrize("form", ["folder", "inner folder", "zip", "inner zip"])
@pytest.mark.parametrize("era", ERAS)
def test_every_era_from_folder_and_zip(tmp_path, era, form):
    data = read_dataset(laid_out(tmp_path, era, form))
    assert data.name == ("ml-inner" if form == "inner folder" else "set")
    assert data.ratings.columns == ["user", "item", "rating", "timestamp"]
    assert [str(kind) for kind in data.ratings.dtypes] == ["Int64", "Int64", "Float32", "Int64"]
    assert data.ratings.rows() == RATINGS[era]
    assert [str(kind) for kind in data.movies.dtypes] == [
        "String",
        "String",
        "Int32",
        "List(String)",
    ]
    assert data.movies.rows() == MOVIES[era]
    assert data.users.rows() == USERS[era]
    assert set(data.users.dtypes) == {data.movies.schema["title"]}
    assert "Harper" in data.notice


def test_the_notice_is_that_of_the_release(tmp_path):
    for era, release in (("100k", "ml-100k"), ("1m", "ml-1m"), ("10m", "ml-10m")):
        data = read_dataset(laid_out(tmp_path / era, era, "folder"))
        assert data.notice.startswith(f"{release} was collected")
        assert "not to be passed on without separate permission" in data.notice
    named = laid_out(tmp_path, "csv", "folder").rename(tmp_path / "ml-20m")
    assert read_dataset(named).notice.startswith("ml-20m was collected")
    other = named.rename(tmp_path / "films")
    assert read_dataset(other).notice.startswith("This MovieLens data was collected")


@pytest.mark.parametrize(
    ("era", "file", "line", "bad", "says"),
    [
        ("100k", "u.data", 2, b"1\t2\t9\t5", "column 'Rating': found the number '9'"),
        ("100k", "u.data", 2, b"1\t2\t3", "found 3 fields; expected 4"),
        ("100k", "u.data", 2, b"x\t2\t3\t4", "column 'UserID': found the text 'x'"),
        ("100k", "u.item", 2, b"2|A (1990)|d", "found 3 fields; expected 24, separated by '|'"),
        ("100k", "u.item", 2, old_item(1, "B", "").encode()[:-1], "'1' a second time, first on"),
        ("100k", "u.item", 2, old_item(9, "B", "").encode()[:-2] + b"2", "genre flag: found '2'"),
        ("100k", "u.user", 2, b"x|1|M|writer|1", "user id: found 'x'"),
        ("1m", "ratings.dat", 2, b"1::2::4.2::5", "column 'Rating': found the number '4.2'"),
        ("1m", "ratings.dat", 2, b"1::2::4::", "column 'Timestamp': found nothing"),
        ("1m", "ratings.dat", 2, b"1::2::4::5::6", "found 5 fields; expected 4"),
        ("1m", "ratings.dat", 2, b"1:2::4::5", "found 3 fields; expected 4"),
        ("1m", "ratings.dat", 2, b"1\t2\t4\t5", "found 1 field; expected 4"),
        ("1m", "ratings.dat", 2, b"1\t2::4::5", "found 3 fields; expected 4"),
        ("1m", "ratings.dat", 2, b"1::2::4\t::5", None),
        ("1m", "movies.dat", 2, b"2::::Drama", "found nothing; allowed: 1 to 500 characters"),
        ("1m", "users.dat", 2, b"2::M::56", "found 3 fields; expected 5"),
        ("10m", "ratings.dat", 2, b"1::2::\xff::5", "byte 0xFF"),
        ("csv", "ratings.csv", 2, b"1,2,3.6,1", "column 'rating': found the number '3.6'"),
        ("csv", "movies.csv", 2, b'2,"A,B', "quoting of this record cannot be read"),
    ],
)
def test_a_bad_line_is_named(tmp_path, era, file, line, bad, says):
    folder = laid_out(tmp_path, era, "folder")
    lines = (folder / file).read_bytes().splitlines(keepends=True)
    lines[line - 1] = bad + b"\n"
    (folder / file).write_bytes(b"".join(lines))
    if says is None:
        assert read_dataset(folder).ratings["rating"].to_list() == [5.0, 4.0]
        return
    with pytest.raises(FileFormatError) as caught:
        read_dataset(folder)
    assert says in caught.value.reason
    assert caught.value.line == line
    assert caught.value.path == folder / file


@pytest.mark.parametrize("era", ERAS)
def test_empty_files_are_named(tmp_path, era):
    for file, says in ((0, "holds no ratings"), (1, "no movies")):
        folder = laid_out(tmp_path / str(file), era, "folder")
        names = {
            "100k": ("u.data", "u.item"),
            "csv": ("ratings.csv", "movies.csv"),
        }.get(era, ("ratings.dat", "movies.dat"))
        path = folder / names[file]
        header = path.read_bytes().splitlines(keepends=True)[0] if era == "csv" else b""
        path.write_bytes(header)
        with pytest.raises(FileFormatError, match=says if era == "csv" else "is empty"):
            read_dataset(folder)


@pytest.mark.parametrize(
    ("written", "title", "year"),
    [
        ("Matrix, The (1999)", "The Matrix", 1999),
        (
            "Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)",
            "Amelie (Le Fabuleux destin d'Amélie Poulain)",
            2001,
        ),
        (
            "City of Lost Children, The (Cité, La) (1995) ",
            "The City of Lost Children (La Cité)",
            1995,
        ),
        ("Avventura, L' (Adventure, The) (1960)", "L'Avventura (The Adventure)", 1960),
        ("Gates (a.k.a. Gates of Hell, The) (1980)", "Gates (a.k.a. The Gates of Hell)", 1980),
        ("Good, the Bad and the Ugly, The (1966)", "The Good, the Bad and the Ugly", 1966),
        ("Seven (a.k.a. Se7en) (1995)", "Seven (a.k.a. Se7en)", 1995),
        ("Death Note (2006–2007)", "Death Note", 2006),
        ("Ran (1985-)", "Ran", 1985),
        ("2001: A Space Odyssey (1968)", "2001: A Space Odyssey", 1968),
        ("1984 (1956) (1984)", "1984 (1956)", 1984),
        ("(500) Days of Summer (2009)", "(500) Days of Summer", 2009),
        ("Steamboat Bill, Jr. (1928)", "Steamboat Bill, Jr.", 1928),
        ("Rome, Open City (1945)", "Rome, Open City", 1945),
        ("Babylon 5", "Babylon 5", None),
        ("Film (9999)", "Film (9999)", None),
        ("(1985)", "(1985)", None),
        ("The", "The", None),
        (", The", ", The", None),
    ],
)
def test_titles_as_people_read_them(written, title, year):
    assert split_title(written) == (title, year)


def test_the_real_ml_latest_small(movielens_small):
    data = read_dataset(movielens_small)
    assert data.name == "ml-latest-small"
    assert data.ratings.height == 100_836
    assert data.ratings["user"].n_unique() == 610
    assert data.movies.height == 9_742
    assert data.ratings.row(0) == (1, 1, 4.0, 964982703)
    assert data.ratings["rating"].is_between(0.5, 5).all()
    movies = {row["movie_id"]: row for row in data.movies.iter_rows(named=True)}
    assert movies["2571"]["title"] == "The Matrix"
    assert movies["2571"]["year"] == 1999
    assert movies["2571"]["genres"] == ["Action", "Sci-Fi", "Thriller"]
    assert movies["4973"]["title"] == "Amelie (Le Fabuleux destin d'Amélie Poulain)"
    assert movies["720"]["title"].startswith("Wallace & Gromit")
    assert data.movies["year"].null_count() == 12
    rated = data.ratings["item"].cast(str).unique().is_in(data.movies["movie_id"].to_list())
    assert rated.all()
    assert "research" in data.notice
