"""What the home page says when the server is gone, has no model, wants a key, or refuses."""

from __future__ import annotations

KEY = "open-sesame-0123456789"


def test_a_stopped_server_is_said_and_the_page_recovers(new_server, open_home, watch):
    watch.expect("net::ERR_")
    running = new_server()
    home = open_home(running, "19")
    movies = running.recommended("19")
    home.wait_for_list(movies)
    running.stop()
    control = home.slider(movies[0]["movie_id"])
    control.focus()
    home.page.keyboard.press("5")
    home.page.keyboard.press("Enter")
    home.page.get_by_text("The server cannot be reached").wait_for()
    assert home.page.locator("#undo").count() == 0
    assert "press Enter to rate" in control.get_attribute("aria-valuetext"), "nothing was stored"
    home.wait_for_list(movies)
    again = new_server(port=int(running.url.rpartition(":")[2]))
    home.page.get_by_role("button", name="Try again").click()
    home.page.locator("#undo").wait_for()
    assert again.ratings("19")[movies[0]["movie_id"]]["rating"] == 5.0
    home.wait_for_list(again.recommended("19"))


def test_a_server_without_a_model_says_so(new_server, open_home, watch):
    watch.expect("503 (Service Unavailable)")
    running = new_server("untrained")
    problem = running.client.get("/v1/users/20/recommendations").json()
    assert problem["status"] == 503
    home = open_home(running, "20")
    note = home.page.locator("#state .note")
    note.wait_for()
    assert problem["title"] in note.inner_text()
    assert problem["detail"] in note.inner_text()
    assert home.page.locator(home.CARD).count() == 0
    home.page.locator("#ratings .row").first.wait_for()


def test_a_problem_is_shown_with_title_and_fields(server, open_home, watch):
    watch.expect("422 (Unprocessable")
    long_id = "x" * 129
    problem = server.client.get(f"/v1/users/{long_id}/recommendations").json()
    assert problem["status"] == 422
    home = open_home(server, long_id)
    note = home.page.locator("#state .note.bad")
    note.wait_for()
    assert problem["title"] in note.inner_text()
    assert problem["errors"][0]["message"] in note.inner_text()


def test_a_key_is_asked_for_and_kept_in_the_tab(new_server, open_home, watch):
    watch.expect("401 (Unauthorized)")
    running = new_server(PROJECTIONIST_API_KEY=KEY)
    home = open_home(running, "21")
    dialog = home.page.get_by_role("dialog")
    dialog.wait_for()
    assert dialog.get_by_label("API key").get_attribute("type") == "password"
    home.page.keyboard.type("wrong")
    home.page.keyboard.press("Enter")
    dialog.get_by_text("The key was not accepted").wait_for()
    assert home.page.locator(home.CARD).count() == 0
    dialog.get_by_label("API key").fill(KEY)
    home.page.keyboard.press("Enter")
    home.wait_for_list(running.recommended("21"))
    home.page.reload()
    home.wait_for_list(running.recommended("21"))
    assert home.page.get_by_role("dialog").count() == 0
    assert home.page.evaluate("localStorage.length") == 0


def test_a_visitor_who_has_no_key_is_asked_once(new_server, open_home, watch):
    watch.expect("401 (Unauthorized)")
    running = new_server(PROJECTIONIST_API_KEY=KEY)
    home = open_home(running, "21")
    home.page.get_by_role("button", name="Cancel").click()
    home.page.locator("#state .note.bad").wait_for()
    home.page.wait_for_timeout(300)
    assert home.page.get_by_role("dialog").count() == 0
