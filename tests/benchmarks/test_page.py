"""The page, its tables and its picture."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.training import curves, page, plot
from benchmarks.training.results import Results

from .records import failed, followed, session, timed

SVG = "{http://www.w3.org/2000/svg}"


def some_records():
    yield timed("projectionist", "cholesky", "exact", [9.0, 1.0, 1.2], peak=90, ndcg=0.3)
    yield timed("irspack", "cholesky", "exact", [9.0, 2.2, 2.2], peak=200, ndcg=0.31)
    yield failed(timed("implicit", "cg", "approximate", []), "no | memory")
    yield timed("irspack", "cholesky", "exact", [9.0, 4.4], size="large", n_ratings=2_000_000)
    yield followed("irspack", "cholesky", "exact", [2.0, 2.0], [9.0, 6.0])
    yield followed("implicit", "cg", "approximate", [3.0, 3.0], [9.0, 7.0])
    ours = followed("projectionist", "cholesky", "exact", [1.0], [5.5])
    yield ours | {"followed_seconds": [1.5]}


@pytest.fixture
def results(tmp_path):
    found = Results(tmp_path / "results")
    found.add_session(session())
    for record in some_records():
        found.add(record)
    return found


def tables_of(text):
    """Rows of cells, table by table."""
    found = []
    for block in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in block.strip().splitlines()]
        found.append([[cell.strip() for cell in row] for row in rows])
    return found


def test_the_page_says_what_was_measured(results):
    text = page.render(results)
    summary, figures = tables_of(text)
    for table in (summary, figures):
        assert {len(row) for row in table} == {len(table[0])}
    small = dict(zip(summary[0], summary[2], strict=True))
    assert small["matrix"] == "some"
    assert small["epoch, exact"] == "0.50"
    assert small["peak memory"] == "0.45"
    assert small["memory added"] == "0.31"
    assert small["time to objective, ν = 0"] == "0.25"
    rows = {row[2]: dict(zip(figures[0], row, strict=True)) for row in figures[2:5]}
    ours = rows["projectionist cholesky"]
    assert ours["epoch, s"] == "1.1 [1–1.2]"
    assert ours["× ours"] == "1.00"
    assert ours["peak, MiB"] == "90 (50)"
    assert ours["NDCG@10"] == "0.3000"
    assert ours["to the objective, s, ν = 0"] == "1 (3), 1 epoch"
    assert rows["irspack cholesky"]["× ours"] == "2.00"
    assert rows["irspack cholesky"]["to the objective, s, ν = 0"] == "4 (6), 2 epochs"
    assert rows["implicit cg"]["epoch, s"] == r"failed: no \| memory"
    assert rows["implicit cg"]["to the objective, s, ν = 0"] == "not in 2 epochs"
    assert "an abacus" in text
    assert "20.0 GB/s" in text
    assert "load when a training began: 0.5, at most 0.5" in text
    assert "apart by 1e-06 at most (tried: implicit/cg, projectionist/cholesky)" in text
    assert "6, set by irspack cholesky in 2 epochs" in text
    assert "{" not in text, "a place of the template was not filled"


def test_programs_of_several_sessions_are_marked(results):
    assert "†" not in page.render(results)
    later = timed("irspack", "cg", "approximate", [1.0, 1.0], session="2026-02-01T00:00:00Z")
    results.add(later)
    results.add_session(session("2026-02-01T00:00:00Z"))
    text = page.render(results)
    assert "| some † |" in text
    assert "† Programs of several sessions" in text


def test_page_picture_and_records_are_written(results, tmp_path):
    page.write(tmp_path / "docs" / "performance.md", results)
    written = {p.name for p in (tmp_path / "docs").rglob("*") if p.is_file()}
    assert written == {"performance.md", "performance.json", "training.svg"}
    for target in re.findall(
        r"\]\((images/[^)]+)\)", (tmp_path / "docs/performance.md").read_text()
    ):
        assert (tmp_path / "docs" / target).is_file()


def test_a_terminal_is_told_of_the_machine_and_the_figures(results):
    text = page.for_terminal(results)
    assert "an abacus" in text
    assert len(tables_of(text)) == 2


def test_the_picture_has_a_curve_for_each_program(results):
    growth, descent = curves.charts(results.records())
    assert {c.label: list(c.points) for c in growth.curves} == {
        "projectionist cholesky": [(1000.0, 1.1)],
        "irspack cholesky": [(1000.0, 2.2), (2_000_000.0, 4.4)],
    }
    lines = {c.label: list(c.points) for c in descent.curves}
    assert [x for x, _ in lines["projectionist cholesky"]] == [1.5]
    assert lines["irspack cholesky"][1] == (4.0, pytest.approx(100 * (6 / 5.5 - 1)))
    assert lines["projectionist cholesky"][0][1] == 0, "the lowest, which no such axis can show"


def test_where_there_is_one_matrix_the_factors_are_shown():
    runs = [
        timed("implicit", "cg", "approximate", [9.0, s], factors=f) for f, s in ((8, 1), (16, 3))
    ]
    growth, descent = curves.charts(runs)
    assert (growth.title, growth.x_label) == ("Time of an epoch, some", "factors")
    assert list(growth.curves[0].points) == [(8.0, 1), (16.0, 3)]
    assert descent.curves == [], "nothing was followed"


def test_the_picture_is_well_formed_and_reads_on_dark_pages():
    charts = [
        plot.Chart("a < b", "ratings", "< a second", [
            plot.Curve("one & only", [(1e6, 0.2), (2e7, 4.0)], 0, 1),
            plot.Curve("nothing", [(1.0, 0.0)], 1, 2),
        ]),
        plot.Chart("empty", "x", "y", []),
    ]  # fmt: skip
    text = plot.draw(charts)
    root = ET.fromstring(text)
    labels = {element.text for element in root.iter(f"{SVG}text")}
    assert {"a < b", "one & only", "nothing", "ratings", "< a second", "empty"} <= labels
    assert {"1 M", "10 M"} <= labels
    assert "prefers-color-scheme:dark" in text
    assert len(list(root.iter(f"{SVG}circle"))) == 2
    for circle in root.iter(f"{SVG}circle"):
        assert plot.LEFT <= float(circle.get("cx")) <= plot.WIDTH - plot.RIGHT
        assert plot.TOP <= float(circle.get("cy")) <= plot.HEIGHT - plot.BOTTOM
    assert "http" not in text.replace("http://www.w3.org/2000/svg", ""), "nothing is loaded"


@given(st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=5))
def test_axes_keep_the_order_and_have_ticks(values):
    axis = plot.Axis.around(values, 10, 200)
    places = [axis.place(value) for value in sorted(values)]
    assert places == sorted(places)
    assert places[0] >= 10
    assert places[-1] <= 200
    assert axis.place(axis.low) == pytest.approx(10)
    assert axis.place(axis.high) == pytest.approx(200)
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks())
    if max(values) > 3 * min(values):
        assert len(axis.ticks()) >= 2


@pytest.mark.parametrize(
    ("value", "text"), [(20e6, "20 M"), (1500.0, "1.5 k"), (0.05, "0.05"), (3e9, "3 G"), (1, "1")]
)
def test_numbers_of_axes_are_short(value, text):
    assert plot.short(value) == text
