"""Rating on the home page: what is sent, what the list does, and what the page says of it."""

from __future__ import annotations

import re
import uuid

import pytest


def new_user() -> str:
    return f"visitor-{uuid.uuid4().hex[:8]}"


def ids(movies):
    return [movie["movie_id"] for movie in movies]


def test_a_rating_by_keyboard_changes_the_list_and_undo_restores_it(server, open_home):
    home = open_home(server, "11")
    before = server.recommended("11")
    home.wait_for_list(before)
    film = before[0]
    control = home.slider(film["movie_id"])
    assert control.get_attribute("aria-label") == f"Your rating of {film['title']}"
    assert control.get_attribute("aria-valuetext") == "Not rated"
    control.focus()
    home.page.keyboard.press("End")
    home.page.keyboard.press("ArrowLeft")
    assert control.get_attribute("aria-valuetext") == "4.5 stars, press Enter to rate"
    assert film["movie_id"] not in server.ratings("11"), "choosing alone must not store"
    home.page.keyboard.press("Enter")
    home.page.locator("#undo").wait_for()
    assert server.ratings("11")[film["movie_id"]]["rating"] == 4.5
    after = server.recommended("11")
    assert film["movie_id"] not in ids(after)
    home.wait_for_list(after)
    arrived = len(set(ids(after)) - set(ids(before)))
    assert arrived >= 1
    said = home.said()
    assert re.search(rf"Rated {re.escape(film['title'])} 4\.5; list updated in \d+ ms; ", said)
    assert f"; {arrived} new film{'' if arrived == 1 else 's'}." in said
    assert home.page.locator("#change").get_attribute("aria-live") == "polite"
    assert home.focused_movie() == after[0]["movie_id"], "the focus stays at the place in the list"
    top = home.page.locator("#ratings .row").first
    assert top.get_attribute("data-movie") == film["movie_id"], "newest first"
    assert "1 fresh rating " in home.page.locator("#model").inner_text()
    home.undo()
    home.wait_for_list(before)
    assert film["movie_id"] not in server.ratings("11")
    assert "is unrated again" in home.said()


def test_escape_takes_the_choice_back(server, open_home):
    home = open_home(server, "11")
    film = server.recommended("11")[1]
    control = home.slider(film["movie_id"])
    control.focus()
    home.page.keyboard.press("2")
    home.page.keyboard.press("Escape")
    assert control.get_attribute("aria-valuetext") == "Not rated"
    home.page.keyboard.press("Enter")
    home.page.wait_for_timeout(200)
    assert film["movie_id"] not in server.ratings("11")


def test_undo_of_a_changed_rating_brings_back_the_one_before(server, open_home):
    before = server.ratings("12")
    home = open_home(server, "12")
    row = home.page.locator("#ratings .row").first
    row.wait_for()
    movie_id = row.get_attribute("data-movie")
    assert before[movie_id]["rated_at"] == max(one["rated_at"] for one in before.values())
    wanted = 1.0 if before[movie_id]["rating"] > 2 else 5.0
    control = row.get_by_role("slider")
    assert control.get_attribute("aria-valuenow") == f"{before[movie_id]['rating']:g}"
    home.rate(control, f"{wanted:.0f}")
    assert server.ratings("12")[movie_id]["rating"] == wanted
    home.undo()
    restored = server.ratings("12")[movie_id]
    assert restored["rating"] == before[movie_id]["rating"]
    assert restored["rated_at"] == before[movie_id]["rated_at"]


def test_delete_removes_a_rating(server, open_home):
    home = open_home(server, "13")
    row = home.page.locator("#ratings .row").first
    row.wait_for()
    movie_id = row.get_attribute("data-movie")
    row.get_by_role("slider").focus()
    home.page.keyboard.press("Delete")
    home.page.locator("#undo").wait_for()
    assert movie_id not in server.ratings("13")
    assert home.page.locator(f'#ratings [data-movie="{movie_id}"]').count() == 0


@pytest.mark.parametrize(("across", "stars"), [(0.04, 0.5), (0.62, 3.5), (0.97, 5.0)])
def test_a_click_on_the_stars_gives_half_stars(server, open_home, across, stars):
    user_id = new_user()
    home = open_home(server, user_id)
    movies = server.recommended(user_id)
    home.wait_for_list(movies)
    face = home.page.locator(f'#cards [data-movie="{movies[2]["movie_id"]}"] .stars-face')
    box = face.bounding_box()
    face.click(position={"x": box["width"] * across, "y": box["height"] / 2})
    home.page.locator("#undo").wait_for()
    assert server.ratings(user_id)[movies[2]["movie_id"]]["rating"] == stars
    home.wait_for_list(server.recommended(user_id))


def test_any_film_can_be_searched_and_rated(server, open_home):
    user_id = new_user()
    home = open_home(server, user_id)
    found = server.get("/v1/movies", q="the", limit=8)["movies"]
    field = home.page.get_by_role("searchbox", name="Rate any film")
    field.fill("the")
    rows = home.page.locator("#search .row")
    rows.nth(len(found) - 1).wait_for()
    assert rows.evaluate_all("all => all.map(one => one.dataset.movie)") == ids(found)
    home.rate(rows.nth(1).get_by_role("slider"), "4")
    assert server.ratings(user_id)[found[1]["movie_id"]]["rating"] == 4.0
    assert rows.nth(1).get_by_role("slider").get_attribute("aria-valuenow") == "4"
    assert home.focused_movie() == found[1]["movie_id"]
    assert home.page.locator("#ratings .row").count() == 1
    field.fill("no film is called this")
    home.page.get_by_text("No film with these words").wait_for()


def test_ratings_one_after_the_other_all_arrive(server, open_home):
    user_id = new_user()
    home = open_home(server, user_id)
    movies = server.recommended(user_id)
    home.wait_for_list(movies)
    # Faster than the answers: both are given before the first list comes back.
    home.page.evaluate(
        """ids => ids.forEach((id, place) => {
          const control = document.querySelector(`#cards [data-movie="${id}"] [role=slider]`);
          for (const key of [String(place + 2), "Enter"]) {
            control.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
          }
        })""",
        ids(movies)[:3],
    )
    home.page.wait_for_function("() => document.querySelectorAll('#ratings .row').length === 3")
    given = server.ratings(user_id)
    assert [given[movie_id]["rating"] for movie_id in ids(movies)[:3]] == [2.0, 3.0, 4.0]
    home.wait_for_list(server.recommended(user_id))


def test_the_last_rating_given_is_the_last_one_stored(server, open_home):
    user_id = new_user()
    home = open_home(server, user_id)
    movie_id = server.recommended(user_id)[0]["movie_id"]

    def hold_back_the_first(route):
        if route.request.post_data_json == {"rating": 2}:
            home.page.wait_for_timeout(400)
        route.continue_()

    home.page.route("**/ratings/*", hold_back_the_first)
    home.slider(movie_id).focus()
    for key in ("2", "Enter", "4", "Enter"):
        home.page.keyboard.press(key)
    home.page.locator("#change", has_text="4.0; list updated").wait_for()
    home.page.wait_for_timeout(500)
    assert server.ratings(user_id)[movie_id]["rating"] == 4.0


@pytest.mark.parametrize(("motion", "moves"), [("no-preference", True), ("reduce", False)])
def test_the_list_moves_only_for_those_who_want_motion(server, open_home, motion, moves):
    user_id = new_user()
    home = open_home(server, user_id, reduced_motion=motion)
    movies = server.recommended(user_id)
    home.wait_for_list(movies)
    home.page.evaluate(
        """() => {
          window.moved = 0;
          const real = Element.prototype.animate;
          Element.prototype.animate = function (...all) {
            window.moved += 1;
            return real.apply(this, all);
          };
        }"""
    )
    home.rate(home.slider(movies[0]["movie_id"]), "5")
    assert (home.page.evaluate("window.moved") > 0) == moves


def test_the_whole_way_by_keyboard(server, open_home):
    """From the address bar to a rated film without a pointer."""
    home = open_home(server)
    page = home.page
    page.locator(home.CARD).nth(23).wait_for()

    def focused() -> str:
        return page.evaluate(
            "document.activeElement.getAttribute('role') ?? document.activeElement.tagName"
        )

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert focused() == "combobox"
    page.keyboard.type("22")
    page.locator("[role=option]").first.wait_for()
    page.keyboard.press("Enter")
    movies = server.recommended("22")
    home.wait_for_list(movies)
    for _ in range(10):
        page.keyboard.press("Tab")
        if focused() == "slider":
            break
    assert home.focused_movie() == movies[0]["movie_id"]
    ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring != "none", "the focus must be seen"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.locator("#undo").wait_for()
    assert server.ratings("22")[movies[0]["movie_id"]]["rating"] == 3.5
