"""How the home page looks: titles of any kind, narrow screens, both themes."""

from __future__ import annotations

import pytest

HOSTILE = {
    "markup": "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>",
    "rtl": "\u202eהחול והים: שבע נשמות ابن الملك",  # noqa: RUF001
    "emoji": "🎬🧑‍🚀👩‍👩‍👧‍👦 the emoji 🎥 film",
    "long": "A very long title that goes on " * 9 + "and on and on",
    "word": "W" * 300,
    "quotes": "&lt;b&gt; ${title} {{title}} \\ \" ' `",
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("width", [400, 1400])
def test_hostile_titles_are_text_and_stay_in_their_place(server, open_home, kind, width):
    title = HOSTILE[kind]
    film = server.recommended("16")[0]
    address = f"/v1/movies/{film['movie_id']}"
    stored = server.get(address)
    body = {key: value for key, value in stored.items() if key != "movie_id"}
    server.put(address, {**body, "title": title})
    try:
        home = open_home(server, "16", width=width)
        home.wait_for_list(server.recommended("16"))
        heading = home.page.locator(f'#cards [data-movie="{film["movie_id"]}"] h3')
        assert heading.text_content() == title
        assert home.overflow() <= 0
        assert heading.evaluate(
            """one => {
              const [a, b] = [one, one.closest(".poster")].map(x => x.getBoundingClientRect());
              const across = a.left >= b.left && a.right <= b.right;
              return across && a.top >= b.top && a.bottom <= b.bottom;
            }"""
        )
        home.rate(home.slider(film["movie_id"]), "3")
        assert home.page.locator("#change bdi").text_content() == title
        assert home.page.locator("#ratings .row-title").first.text_content() == title
        assert home.overflow() <= 0
        home.undo()
        assert home.page.evaluate("window.hacked") is None
    finally:
        server.put(address, body)


@pytest.mark.parametrize("width", [1400, 400])
def test_no_title_is_cut_and_no_word_is_broken(server, open_home, width):
    home = open_home(server, width=width)
    home.wait_for_list(server.get("/v1/movies/popular", n=24)["movies"])
    movies = server.get("/v1/movies/popular", n=500)["movies"]
    assert len(movies) > 300
    wrong = home.page.evaluate(
        """async movies => {
          const { poster } = await import("/static/home/poster.js");
          const list = document.querySelector("#cards");
          list.replaceChildren(...movies.map(movie => {
            const item = document.createElement("li");
            item.append(poster(movie));
            return item;
          }));
          const wrong = [];
          for (const title of list.querySelectorAll(".poster-title")) {
            const text = title.firstChild;
            if (title.scrollHeight > title.clientHeight + 1) wrong.push(`cut: ${text.data}`);
            for (const word of text.data.matchAll(/[^\\s\\-\\u2013/]+/g)) {
              const range = document.createRange();
              range.setStart(text, word.index);
              range.setEnd(text, word.index + word[0].length);
              const tops = new Set([...range.getClientRects()].map(box => Math.round(box.top)));
              if (tops.size > 1) wrong.push(`broken: ${word[0]} in ${text.data}`);
            }
          }
          return wrong;
        }""",
        movies,
    )
    assert wrong == []


@pytest.mark.parametrize("width", [400, 320])
@pytest.mark.parametrize("user_id", ["", "17"])
def test_narrow_screens_scroll_in_one_direction_only(server, open_home, width, user_id):
    home = open_home(server, user_id, width=width, height=800)
    home.page.locator(home.CARD).nth(23).wait_for()
    assert home.overflow() <= 0
    home.page.get_by_role("combobox").click()
    home.page.locator("[role=option]").first.wait_for()
    assert home.overflow() <= 0


@pytest.mark.parametrize("width", [1400, 960, 700, 400])
def test_the_search_is_in_sight_without_scrolling(server, open_home, width):
    home = open_home(server, "17", width=width, height=800)
    home.page.locator("#ratings .row").first.wait_for()
    home.page.locator(home.CARD).nth(23).wait_for()
    search, cards, ratings = (
        home.page.locator(place).bounding_box() for place in ("#film-search", "#cards", "#ratings")
    )
    assert search["y"] + search["height"] < 800
    if width < 961:
        assert search["y"] + search["height"] <= cards["y"]
        assert cards["y"] + cards["height"] <= ratings["y"]
    else:
        assert search["x"] > cards["x"] + cards["width"]
        assert ratings["x"] > cards["x"] + cards["width"]
        assert search["y"] < ratings["y"] < 800
    home.page.locator("#film-search").focus()
    home.page.keyboard.press("Tab")  # on to the list, as the eye goes
    assert home.focused_movie() == server.recommended("17")[0]["movie_id"]
    assert home.overflow() <= 0


def test_without_a_user_there_is_nothing_to_rate(server, open_home):
    home = open_home(server)
    home.page.locator(home.CARD).nth(23).wait_for()
    assert home.page.locator("#search").is_hidden()
    assert home.page.locator("#ratings").is_hidden()


CONTRASTS = """() => {
  const numbers = color => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = one => {
    for (let at = one; at; at = at.parentElement) {
      const color = numbers(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const low = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const [text, one] = [walk.currentNode.data.trim(), walk.currentNode.parentElement];
    if (!text || !one.checkVisibility() || one.closest(".visually-hidden, .skip")) continue;
    const pair = [numbers(getComputedStyle(one).color), ground(one)];
    const [a, b] = pair.map(light).sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.push(`${ratio.toFixed(2)} ${one.className || one.tagName}: ${text}`);
  }
  return low;
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_can_be_read_in_both_themes(server, open_home, theme):
    home = open_home(server, "18", color_scheme=theme)
    home.wait_for_list(server.recommended("18"))
    home.page.locator("#ratings .row").first.wait_for()
    assert home.page.evaluate("document.documentElement.dataset.theme") == theme
    home.rate(home.slider(server.recommended("18")[0]["movie_id"]), "4")
    assert home.page.evaluate(CONTRASTS) == []
    home.undo()
    home.page.goto(f"{server.url}/")
    home.page.locator("#who .chip").first.wait_for()
    home.page.locator(home.CARD).nth(23).wait_for()
    home.page.get_by_role("combobox").click()
    home.page.locator("[role=option]").first.wait_for()
    home.page.keyboard.press("ArrowDown")
    assert home.page.evaluate(CONTRASTS) == []


def test_every_poster_palette_can_be_read(server, open_home):
    home = open_home(server)
    low = home.page.evaluate(
        """async () => {
          const { PALETTES } = await import("/static/home/palettes.js");
          const { DRAWINGS } = await import("/static/home/drawings.js");
          const light = hex => [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16) / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          const low = [];
          for (const [genre, palettes] of Object.entries(PALETTES)) {
            if (!DRAWINGS[genre]) low.push(`${genre} has no drawing`);
            for (const [ground, ink] of palettes) {
              const [a, b] = [light(ground), light(ink)].sort((x, y) => y - x);
              if ((a + 0.05) / (b + 0.05) < 4.5) low.push(`${genre} ${ground} ${ink}`);
            }
          }
          return low;
        }"""
    )
    assert low == []


def test_the_theme_can_be_switched_and_is_kept(server, open_home):
    page = open_home(server, color_scheme="dark").page
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.get_by_role("button", name="Switch to the light theme").click()
    light = page.evaluate(background)
    assert dark != light
    page.reload()
    assert page.evaluate(background) == light
    page.get_by_role("button", name="Switch to the dark theme").click()
    assert page.evaluate(background) == dark
    assert page.evaluate("localStorage.length") == 0, "the system's own theme needs no memory"
