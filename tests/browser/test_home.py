"""The home page: whose list it shows, and that it is the list of the API."""

from __future__ import annotations

import re
import uuid

import pytest


def test_without_a_user_the_page_shows_popular_films_and_whom_to_choose(server, open_home):
    home = open_home(server)
    home.wait_for_list(server.get("/v1/movies/popular", n=24)["movies"])
    assert home.page.locator("#cards [role=slider]").count() == 0
    chip = home.page.locator("#who .chip").first
    chip.wait_for()
    user_id = chip.get_attribute("data-user")
    chip.click()
    home.wait_for_list(server.recommended(user_id))
    assert home.page.url == f"{server.url}/?user={user_id}"


def test_the_options_are_the_users_of_the_api_and_keys_choose_one(server, open_home):
    page = open_home(server).page
    box = page.get_by_role("combobox")
    box.click()
    page.keyboard.type("7")
    found = [user["user_id"] for user in server.get("/v1/users", q="7", limit=50)["users"]]
    page.wait_for_function(
        "n => document.querySelectorAll('[role=option]').length === n", arg=len(found)
    )
    options = page.locator("[role=option]")
    assert options.evaluate_all("all => all.map(one => one.dataset.user)") == found
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    assert box.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    assert options.first.get_attribute("aria-selected") == "true"
    page.keyboard.press("ArrowUp")
    assert options.last.get_attribute("aria-selected") == "true"
    page.keyboard.press("Enter")
    page.wait_for_url(f"{server.url}/?user={found[-1]}")
    assert box.input_value() == found[-1]


def test_the_options_go_on_when_their_end_is_reached(server, open_home):
    page = open_home(server).page
    page.get_by_role("combobox").click()
    for expected in (50, 100):
        page.wait_for_function(
            "n => document.querySelectorAll('[role=option]').length === n", arg=expected
        )
        page.locator("[role=option]").last.scroll_into_view_if_needed()
    users = server.get("/v1/users", limit=100)["users"]
    shown = page.locator("[role=option]").evaluate_all("all => all.map(one => one.dataset.user)")
    assert shown[:100] == [user["user_id"] for user in users]


def test_the_chosen_users_list_is_the_one_of_the_api(server, open_home):
    home = open_home(server)
    home.page.get_by_role("combobox").fill("7")
    home.page.keyboard.press("Enter")
    movies = server.recommended("7")
    assert len(movies) == 24
    home.wait_for_list(movies)
    assert home.page.url == f"{server.url}/?user=7"
    reasons = 0
    for place, movie in enumerate(movies):
        words = home.page.locator(home.CARD).nth(place).inner_text()
        assert movie["title"].upper() in words.upper()
        assert str(movie["year"]) in words
        assert f"★ {movie['predicted_rating']:.1f}" in words
        assert re.search(rf"^{place + 1}$", words, re.MULTILINE)
        assert f"score {movie['score']:.3f}" in words
        for reason in movie["because"][:2]:
            assert reason["title"] in words
            reasons += 1
    assert reasons > 0


def test_the_page_tells_model_tastes_and_that_the_data_is_simulated(server, open_home):
    home = open_home(server, "7")
    home.wait_for_list(server.recommended("7"))
    answer = server.get("/v1/users/7/recommendations", n=1)
    model = home.page.locator("#model").inner_text()
    assert f"Model generation {answer['model']['generation']} · trained " in model
    assert f"chosen from {answer['matched']} films" in model
    user = server.get("/v1/users/7")
    who = home.page.locator("#who").inner_text()
    assert who == f"{user['attributes']['tastes']} · {user['n_ratings']} ratings"
    notice = home.page.locator("footer .notice")
    notice.wait_for()
    assert notice.inner_text() == server.get("/v1/datasets/notice")["notice"]
    assert "simulated" in notice.inner_text().lower()
    version = server.get("/version")["version"]
    assert f"Projectionist {version} · model gen" in home.page.locator("footer .build").inner_text()


def test_the_address_and_the_back_button_remember_the_user(server, open_home):
    home = open_home(server, "5")
    box = home.page.get_by_role("combobox")
    home.wait_for_list(server.recommended("5"))
    assert box.input_value() == "5"
    box.fill("6")
    home.page.keyboard.press("Enter")
    home.wait_for_list(server.recommended("6"))
    home.page.go_back()
    home.wait_for_list(server.recommended("5"))
    assert box.input_value() == "5"


def test_escape_closes_the_options_and_keeps_the_user(server, open_home):
    page = open_home(server, "5").page
    box = page.get_by_role("combobox")
    box.click()
    page.keyboard.type("1")
    page.locator("[role=option]").first.wait_for()
    assert box.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    assert box.get_attribute("aria-expanded") == "false"
    assert box.input_value() == "5"


def test_a_new_visitor_gets_popular_films_until_the_first_rating(server, open_home):
    user_id = f"visitor-{uuid.uuid4().hex[:8]}"
    home = open_home(server)
    home.page.get_by_role("combobox").fill(user_id)
    home.page.get_by_role("option", name=f"New visitor {user_id}").click()
    popular = server.recommended(user_id)
    assert [movie["movie_id"] for movie in popular] == [
        movie["movie_id"] for movie in server.get("/v1/movies/popular", n=24)["movies"]
    ]
    home.wait_for_list(popular)
    home.page.locator("#fallback").wait_for()
    assert home.page.locator("#who").inner_text() == "a new visitor"
    assert "Because" not in home.page.locator("#cards").inner_text()
    home.rate(home.slider(popular[3]["movie_id"]), "5")
    personal = server.recommended(user_id)
    assert [movie["movie_id"] for movie in personal] != [movie["movie_id"] for movie in popular]
    home.wait_for_list(personal)
    assert home.page.locator("#fallback").count() == 0
    first = home.page.locator(home.CARD).first.inner_text()
    assert f"Because you liked {popular[3]['title']}" in first
    assert "1 rating" in home.page.locator("#who").inner_text()
    home.page.locator("#undo").click()
    home.wait_for_list(popular)
    home.page.locator("#fallback").wait_for()


def test_the_button_for_newcomers_makes_a_visitor(server, open_home):
    page = open_home(server).page
    page.get_by_role("button", name="I am new here").click()
    page.locator("#fallback").wait_for()
    assert re.search(r"\?user=visitor-[a-z0-9]{4}$", page.url)


def test_more_films_makes_the_list_longer(server, open_home):
    home = open_home(server, "15")
    home.wait_for_list(server.recommended("15", 24))
    home.page.get_by_role("button", name="More films").click()
    home.wait_for_list(server.recommended("15", 48))


@pytest.mark.parametrize("user_id", ["a/b c", "?&#%", "ключ"])
def test_any_id_is_a_visitor(server, open_home, user_id):
    home = open_home(server)
    home.page.get_by_role("combobox").fill(user_id)
    home.page.keyboard.press("Enter")
    home.page.locator("#fallback").wait_for()
    movies = server.get("/v1/movies/popular", n=24)["movies"]
    home.rate(home.slider(movies[0]["movie_id"]), "4")
    users = server.get("/v1/users", q=user_id)["users"]
    assert [user["user_id"] for user in users] == [user_id]
    home.undo()


def test_the_map_is_a_link_away_for_whom_the_model_knows(server, open_home):
    home = open_home(server, "7")
    home.wait_for_list(server.recommended("7"))
    link = home.page.get_by_role("link", name="See on the map")
    link.wait_for()
    assert link.get_attribute("href") == "/map?model=current&u=7"
    user_id = f"visitor-{uuid.uuid4().hex[:8]}"
    for nobody in ("", user_id):
        home = open_home(server, nobody)
        home.page.locator(home.CARD).nth(23).wait_for()
        assert home.page.locator("#on-map").is_hidden()
    movies = server.recommended(user_id)
    home.rate(home.slider(movies[0]["movie_id"]), "4")
    assert home.page.locator("#on-map").is_hidden()  # the map was drawn before
    home.undo()
