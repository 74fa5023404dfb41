"""The map page: what is drawn is where it says, what it says is what the API says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from recommender.data.course import load_course

if TYPE_CHECKING:
    from collections.abc import Callable

COURSE = load_course()
USER_HUE, MOVIE_HUE = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)

# The middle of all pixels of a hue within some CSS pixels around a place on the lower canvas.
MIDDLE = """([x, y, reach, hue]) => {
  const shown = document.querySelector("#base");
  const dpr = shown.width / shown.clientWidth;
  const canvas = new OffscreenCanvas(shown.width, shown.height);
  canvas.getContext("2d", { willReadFrequently: true }).drawImage(shown, 0, 0);
  const [left, top] = [Math.round((x - reach) * dpr), Math.round((y - reach) * dpr)];
  const size = Math.round(2 * reach * dpr);
  const { data } = canvas.getContext("2d").getImageData(left, top, size, size);
  let [n, sumX, sumY] = [0, 0, 0];
  for (let i = 0; i < size * size; i += 1) {
    if (hue.some((value, c) => Math.abs(data[4 * i + c] - value) > 40)) continue;
    n += 1; sumX += i % size; sumY += Math.floor(i / size);
  }
  return n === 0 ? null
    : { n, x: (left + sumX / n + 0.5) / dpr, y: (top + sumY / n + 0.5) / dpr };
}"""

COUNT_HUES = """hues => {
  const shown = document.querySelector("#base");
  const canvas = new OffscreenCanvas(shown.width, shown.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(shown, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return hues.map((hue) => {
    let n = 0;
    for (let i = 0; i < data.length; i += 4) {
      if (hue.every((value, c) => Math.abs(data[i + c] - value) <= 48)) n += 1;
    }
    return n;
  });
}"""

# Crowds are pale: what counts is which way a pixel leans, to blue or to orange.
COUNT_TINTS = """() => {
  const shown = document.querySelector("#base");
  const canvas = new OffscreenCanvas(shown.width, shown.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(shown, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const found = [0, 0];
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 2] - data[i] > 30) found[0] += 1;
    if (data[i] - data[i + 2] > 60) found[1] += 1;
  }
  return found;
}"""


class MapPage:
    """The map page in words."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def wait(self, ready: str) -> MapPage:
        self.page.wait_for_selector(f'#plane[data-ready="{ready}"]')
        self.page.wait_for_selector("body:not([aria-busy])")
        return self

    def settle(self) -> None:
        """Wait until what was asked for is drawn."""
        self.page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def data(self, name: str) -> str:
        self.settle()
        return str(self.page.locator("#plane").get_attribute(f"data-{name}") or "")

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the plane is, in CSS pixels of the canvas."""
        scale, left, top = (float(self.data(n)) for n in ("scale", "origin-x", "origin-y"))
        return left + scale * x, top - scale * y

    def corner(self) -> tuple[float, float]:
        box = self.page.locator("#plane").bounding_box()
        return box["x"], box["y"]

    def move(self, x: float, y: float) -> None:
        """Put the pointer on a place of the canvas."""
        left, top = self.corner()
        self.page.mouse.move(left + x, top + y)
        self.settle()

    def cell(self, user: int, movie: int) -> Any:
        return self.page.locator(f'td.product[data-user="{user}"][data-movie="{movie}"]')

    def search(self, text: str) -> None:
        self.page.locator("#find").fill(text)
        self.page.keyboard.press("Enter")

    def listed(self) -> list[str]:
        return list(self.page.locator("#card .list td .name").all_inner_texts())

    def overflow(self) -> int:
        return int(
            self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )


@pytest.fixture
def open_map(open_page: Callable[..., Any]) -> Callable[..., MapPage]:
    def open_one(
        server: Any, query: str = "", ready: str = "course raw", **options: Any
    ) -> MapPage:
        return MapPage(open_page(f"{server.url}/map{query}", **options)).wait(ready)

    return open_one


@pytest.mark.parametrize("options", [{}, {"width": 400}, {"device_scale_factor": 2}])
def test_the_course_is_drawn_where_its_coordinates_are(server, open_map, options):
    page = open_map(server, **options)
    assert page.data("selected") == "user 1"
    scale = float(page.data("scale"))
    points = [(*xy, USER_HUE) for xy in COURSE.user_factors.tolist()]
    points += [(*xy, MOVIE_HUE) for xy in COURSE.movie_factors.tolist()]
    assert len(points) == 9
    for x, y, hue in points:
        left, top = page.place(x, y)
        found = page.page.evaluate(MIDDLE, [left, top, 0.1 * scale, hue])
        assert found is not None, (x, y)
        assert found["n"] > 50
        assert (found["x"], found["y"]) == pytest.approx((left, top), abs=1), (x, y)
    other_hue = {USER_HUE: MOVIE_HUE, MOVIE_HUE: USER_HUE}
    for x, y, hue in points:
        assert page.page.evaluate(MIDDLE, [*page.place(x, y), 5, list(other_hue[hue])]) is None


def test_the_page_opens_with_the_lectures_first_cell(server, open_map):
    page = open_map(server)
    assert page.page.locator(".spelled .sum").inner_text() == "1·0.9 + 0.1·(−0.2) = 0.88"
    assert page.page.locator("h1").inner_text() == "Four users and five movies in one plane"
    assert page.page.locator("#fidelity-words").inner_text() == (
        "The plane shows every score exactly."
    )
    assert "arrow" in page.page.locator("#reading").inner_text()


def test_a_cell_spells_its_product_and_lights_both_vectors(server, open_map):
    page = open_map(server)
    page.cell(2, 2).hover()
    spelled = page.page.locator(".spelled .sum")
    assert spelled.inner_text() == "0.2·1 + (−1)·(−1) = 1.2"
    page.cell(0, 0).hover()
    assert spelled.inner_text() == "1·0.9 + 0.1·(−0.2) = 0.88"
    assert page.page.locator(".spelled .fact").inner_text() == "✓ ticked"
    lit = page.page.locator(".u.row, .v.column")
    assert lit.all_inner_texts() == ["0.9", "−0.2", "1", "0.1"]


def test_a_point_lights_its_vector_in_the_matrix(server, open_map):
    page = open_map(server)
    page.page.keyboard.press("Escape")
    page.page.locator("#plane").press("Escape")
    page.move(*page.place(*COURSE.movie_factors[4]))
    assert page.data("hovered") == "Memento"
    assert page.page.locator(".v.column").all_inner_texts() == ["−0.9", "1"]


def test_the_pages_dot_products_are_the_apis(server, open_map):
    page = open_map(server)
    table = server.get("/v1/map/matrix", model="course")
    shown = page.page.locator("td.product > span:first-child").all_inner_texts()
    wanted = [f"{value:.2f}".replace("-", "−") for row in table["products"] for value in row]
    assert shown == wanted
    dots = page.page.evaluate(
        """async () => {
          const { load } = await import("/static/map/world.js");
          const world = await load("course", "raw", new AbortController().signal);
          return [0, 1, 2, 3].map((u) => [0, 1, 2, 3, 4].map((m) => world.dot(u, 4 + m)));
        }"""
    )
    for mine, theirs in zip(dots, table["products"], strict=True):
        assert mine == pytest.approx(theirs, abs=1e-6)


def test_ticks_stand_where_the_users_ticked(server, open_map):
    page = open_map(server)
    ticks = page.page.locator("td.product .tick").all_inner_texts()
    assert [tick == "✓" for tick in ticks] == COURSE.ticks.ravel().tolist()
    lit = page.page.locator("td.product").evaluate_all(
        "cells => cells.map(cell => cell.classList.contains('lit'))"
    )
    assert lit == COURSE.ticks.ravel().tolist()  # every tick is positive, every blank negative


def test_the_current_model_shows_both_kinds(server, open_map):
    page = open_map(server)
    page.page.locator("input[value=current]").check()
    page.wait("current scores")
    page.settle()
    users, movies = page.page.evaluate(COUNT_TINTS)
    assert users > 200
    assert movies > 200
    assert page.page.locator("#strip").is_hidden()
    meta = server.get("/v1/map/meta")
    assert page.page.locator("#fidelity-words").inner_text() == meta["fidelity"]["words"]
    assert re.search(r"of 10 true recommendations", meta["fidelity"]["words"])


def test_search_selects_a_user_whose_list_is_the_apis(server, open_map):
    page = open_map(server, "?model=current", "current scores")
    page.search("user 17")
    page.page.wait_for_selector("#card .list")
    assert page.data("selected") == "user 17"
    titles = [movie["title"] for movie in server.recommended("17", n=10)]
    assert [re.sub(r" \(\d+\)$", "", name) for name in page.listed()] == titles
    ranks = page.page.locator("#card .figure").all_inner_texts()
    among = [int(rank.removeprefix("◇ ")) for rank in ranks if rank.startswith("◇")]
    assert all(rank <= 10 for rank in among)
    said = page.page.get_by_text("of these 10 are among").inner_text()
    assert said.startswith(f"{len(among)} of these 10")


def test_search_selects_a_movie_with_its_neighbours(server, open_map):
    page = open_map(server, "?model=current", "current scores")
    page.search("incredib")
    page.page.wait_for_selector("#card .list")
    assert page.data("selected").startswith("The Incredibles")
    movie_id = page.page.evaluate("new URLSearchParams(location.search).get('m')")
    similar = server.get(f"/v1/movies/{movie_id}/similar", n=10)["movies"]
    assert [re.sub(r" \(\d+\)$", "", name) for name in page.listed()] == [
        movie["title"] for movie in similar
    ]


def test_hover_finds_the_nearest_point(server, open_map):
    page = open_map(server, "?model=current", "current scores")
    wrong = page.page.evaluate(
        """async () => {
          const { load } = await import("/static/map/world.js");
          const { Grid } = await import("/static/map/grid.js");
          const world = await load("current", null, new AbortController().signal);
          const { x, y, bbox } = world.points;
          const grid = new Grid(x, y);
          let [seed, wrong, found] = [7, 0, 0];
          const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
          for (let k = 0; k < 300; k += 1) {
            const at = [bbox[0] + random() * (bbox[2] - bbox[0]),
                        bbox[1] + random() * (bbox[3] - bbox[1])];
            const reach = 0.1 * random();
            let [best, distance] = [-1, reach * reach];
            for (let i = 0; i < x.length; i += 1) {
              const d = (x[i] - at[0]) ** 2 + (y[i] - at[1]) ** 2;
              if (d < distance || (d === distance && i > best)) [best, distance] = [i, d];
            }
            found += best >= 0;
            wrong += grid.nearest(at[0], at[1], reach) !== best;
          }
          return [wrong, found > 50];
        }"""
    )
    assert wrong == [0, True]


@pytest.mark.parametrize("name", ["user 3", "Shrek"])
def test_the_pointer_finds_and_selects_a_point(server, open_map, name):
    page = open_map(server)
    xy = COURSE.user_factors[2] if name == "user 3" else COURSE.movie_factors[2]
    left, top = page.place(*xy)
    page.move(left + 4, top - 3)
    assert page.data("hovered") == name
    page.page.mouse.down()
    page.page.mouse.up()
    assert page.data("selected") == name
    assert name in page.page.locator("#card h2").inner_text()


def test_the_point_under_the_cursor_stays_there(server, open_map):
    page = open_map(server)
    there = page.place(*COURSE.movie_factors[0])
    left, top = page.corner()
    cursor = round(left + there[0]), round(top + there[1])  # a wheel knows whole pixels only
    page.page.mouse.move(*cursor)
    under = "([x, y]) => { const at = document.querySelector('#plane').view.toPlane(x, y);"
    under += " return [at.x, at.y]; }"
    at = [cursor[0] - left, cursor[1] - top]
    held = page.page.evaluate(under, at)
    for turn in (-300, -200, 350):
        before = float(page.data("scale"))
        page.page.mouse.wheel(0, turn)
        page.page.wait_for_function(
            "before => Number(document.querySelector('#plane').dataset.scale) !== before",
            arg=before,
        )
        assert (float(page.data("scale")) > before) is (turn < 0)
        assert page.page.evaluate(under, at) == pytest.approx(held, abs=1e-9)
    zoomed = page.place(*COURSE.movie_factors[0])
    page.page.mouse.down()
    page.page.mouse.move(cursor[0] + 60, cursor[1] + 25, steps=5)
    page.page.mouse.up()
    moved = page.place(*COURSE.movie_factors[0])
    assert moved == pytest.approx((zoomed[0] + 60, zoomed[1] + 25), abs=0.01)
    assert page.data("selected") == "user 1"  # a drag is no click
    page.page.locator("#zoom-fit").click()
    assert page.place(*COURSE.movie_factors[0]) == pytest.approx(there, abs=0.01)


def test_the_keyboard_alone(server, open_map):
    page = open_map(server)
    keyboard = page.page.keyboard
    page.page.locator("#plane").focus()
    keyboard.press("Escape")
    assert page.data("selected") == ""
    keyboard.press("ArrowRight")
    assert page.data("hovered") != ""
    for _ in range(4):
        keyboard.press("ArrowRight")
    for _ in range(3):
        keyboard.press("ArrowUp")
    assert page.data("hovered") == "The Dark Knight Rises"
    # A function: a bare expression would be compiled anew at each look, which the policy forbids.
    page.page.wait_for_function(
        "() => [...document.querySelectorAll('[aria-live]')]"
        ".some(e => e.textContent.includes('The Dark Knight Rises'))"
    )
    keyboard.press("Enter")
    assert page.data("selected") == "The Dark Knight Rises"
    scale = float(page.data("scale"))
    keyboard.press("+")
    assert float(page.data("scale")) == pytest.approx(1.4 * scale)
    keyboard.press("0")
    assert float(page.data("scale")) == pytest.approx(scale)
    keyboard.press("Escape")
    assert page.data("selected") == ""
    # on to the matrix: one stop, then arrows
    page.cell(0, 0).focus()
    keyboard.press("ArrowDown")
    keyboard.press("ArrowRight")
    assert page.page.locator(".spelled .sum").inner_text() == "−1·(−1) + 0·(−0.8) = 1"


def test_a_link_restores_the_picture(server, open_map):
    page = open_map(server, "?model=current", "current scores")
    page.search("user 5")
    page.page.wait_for_selector("#card .list")
    page.page.locator("#colour").select_option("genre")
    page.page.locator("#zoom-in").click()
    page.settle()
    link = page.page.evaluate("location.search")
    assert "u=5" in link
    assert "c=genre" in link
    listed, place = page.listed(), page.place(0.1, 0.1)
    again = open_map(server, link, "current scores")
    again.page.wait_for_selector("#card .list")
    assert again.data("selected") == "user 5"
    assert again.listed() == listed
    assert again.place(0.1, 0.1) == pytest.approx(place, abs=0.5)
    assert again.page.locator("#colour").input_value() == "genre"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?model=course&u=99", "User 99 is not in this model."),
        ("?model=course&m=x&v=1,2", "Movie x is not in this model."),
        ("?model=current&u=zzz", "User zzz is not in this model."),
        ("?model=current&m=999999", "Movie 999999 is not in this model."),
        ("?model=current&u=<img src=x>", "User <img src=x> is not in this model."),
        ("?model=nope", "There is no model nope: this is the course example."),
        ("?model=nope&u=zzz", "There is no model nope: this is the course example."),
    ],
)
def test_a_link_to_nobody_says_so(server, open_map, query, words):
    ready = "current scores" if "current" in query else "course raw"
    page = open_map(server, query, ready)
    page.page.wait_for_selector("#message .note")
    assert page.page.locator("#message").inner_text() == words
    assert page.page.locator("#message img").count() == 0
    assert page.data("selected") == ""


def test_a_users_card_leads_to_their_recommendations_and_back(server, open_map):
    page = open_map(server, "?model=current&u=17", "current scores")
    page.page.wait_for_selector("#card .list")
    page.page.locator("#card").get_by_role("link", name="Recommendations").click()
    page.page.wait_for_url(f"{server.url}/?user=17")
    page.page.get_by_role("link", name="See on the map").click()
    page.page.wait_for_url(re.compile(r"/map\?model=current&u=17"))
    page.wait("current scores")
    page.page.wait_for_selector("#card .list")
    assert page.data("selected") == "user 17"


@pytest.mark.parametrize("query", ["", "?model=current&m="])
def test_only_a_user_of_the_service_has_recommendations(server, open_map, query):
    if query:
        query += server.recommended("17")[0]["movie_id"]
    page = open_map(server, query, "current scores" if query else "course raw")
    page.page.wait_for_selector("#card .list")
    assert page.data("selected") != ""
    assert page.page.locator("#card a").count() == 0


def test_genres_have_the_colours_for_themselves(server, open_map):
    page = open_map(server, "?c=genre")
    legend = page.page.locator("#legend")
    assert legend.inner_text().startswith("● users")
    assert legend.inner_text().endswith("◆ other genres")
    scale = float(page.data("scale"))
    users = [page.place(*xy) for xy in COURSE.user_factors.tolist()]
    grey = [0x6B, 0x6B, 0x6B]
    for place in users:
        assert page.page.evaluate(MIDDLE, [*place, 0.05 * scale, grey])["n"] > 20
        assert page.page.evaluate(MIDDLE, [*place, 5, list(USER_HUE)]) is None


def test_without_a_trained_model_the_course_is_shown(new_server, open_map, watch):
    watch.expect("503")
    server = new_server("untrained")
    page = open_map(server)
    page.page.locator("input[value=current]").click()  # the page takes it back
    page.page.wait_for_selector("#message .note")
    assert "The course example needs none." in page.page.locator("#message").inner_text()
    assert page.page.locator("input[value=course]").is_checked()
    assert page.data("ready") == "course raw"
    linked = open_map(server, "?model=current")
    linked.page.wait_for_selector("#message .note")


def test_a_hostile_title_is_only_text(new_server, open_map):
    server = new_server()
    title = "<img src=x onerror=alert(1)> \u202eevil ☂" + "very " * 40
    movie = server.get("/v1/movies", q="Incredibles")["movies"][0]
    body = {"title": title, "year": 2004, "genres": ["<b>Noir</b>"]}
    server.put(f"/v1/movies/{movie['movie_id']}", body)
    page = open_map(server, f"?model=current&m={movie['movie_id']}&c=genre", "current scores")
    page.page.wait_for_selector("#card .list")
    assert "<img src=x" in page.page.locator("#card h2").inner_text()
    page.page.locator("#find").fill("<img")
    assert "<img src=x" in page.page.locator("#found").inner_text()
    assert page.page.locator("main img, main b").count() == 0
    assert page.overflow() <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("query", ["", "?model=current&u=12"])
def test_a_narrow_window_needs_no_sideways_scrolling(server, open_map, query, scheme):
    ready = "current scores" if query else "course raw"
    page = open_map(server, query, ready, width=400, height=800, color_scheme=scheme)
    page.page.wait_for_selector("#card .list")
    assert page.overflow() <= 0
    box = page.page.locator("#plane").bounding_box()
    assert box["width"] >= 380
    assert box["height"] >= 280


def test_the_ground_follows_the_theme(server, open_map, watch):
    watch.expect("willReadFrequently")  # this test reads pixels; the page never does
    page = open_map(server)
    pixel = (
        "() => [...document.querySelector('#base').getContext('2d').getImageData(3, 3, 1, 1).data]"
    )
    assert page.page.evaluate(pixel)[:3] == [0xFF, 0xFD, 0xF8]
    page.page.locator(".theme-toggle").click()
    page.settle()
    assert page.page.evaluate(pixel)[:3] == [0x1E, 0x18, 0x14]


def test_a_density_counts_every_point_in_sight(server, open_map):
    page = open_map(server, "?model=current", "current scores")
    counted = page.page.evaluate(
        """async () => {
          const { load } = await import("/static/map/world.js");
          const { count } = await import("/static/map/density.js");
          const world = await load("current", null, new AbortController().signal);
          const { view } = document.querySelector("#plane");
          const { counts, total } = count(world, view, 0, world.users);
          return [total, counts.reduce((a, b) => a + b, 0), world.users];
        }"""
    )
    assert counted[0] == counted[1] == counted[2] > 0
