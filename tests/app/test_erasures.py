"""An erased user is nobody in every answer, at once; what is left is told by the receipt."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest

from app.serving.erased import Erased, UserDigests
from app.store import Erasure, open_store
from app.store.erasures import SALT, digest_of
from recommender.data.vocabulary import Vocabulary


@pytest.fixture
def erase(client):
    def erasing(user_id="u01"):
        answered = client.delete(f"/v1/users/{user_id}")
        assert answered.status_code == 200, answered.text
        return answered.json()

    return erasing


@pytest.fixture(params=["here", "elsewhere"])
def erased_somewhere(request, client):
    """Erase by this process, or as if by another one, of which this one learns when it looks."""

    def erasing(user_id):
        if request.param == "here":
            return client.delete(f"/v1/users/{user_id}").json()["receipt"]
        erasure = client.rooms.store.erase_user(user_id).result()
        client.look()
        return erasure.receipt

    return erasing


def every_answer(client, user_id):
    """Return what each route says that takes or shows a user, by its name."""
    address = f"/v1/users/{user_id}"
    return {
        "user": client.get(address),
        "ratings": client.get(f"{address}/ratings"),
        "similar": client.get(f"{address}/similar"),
        "list": client.get(f"{address}/recommendations?n=5"),
        "long way": client.get(f"{address}/recommendations?n=5&explain=true"),
        "trace": client.get(f"{address}/trace?n=5"),
        "what-if": client.post(
            "/v1/recommendations/what-if", json={"user_id": user_id, "remove": ["m01"], "n": 5}
        ),
        "group": client.post("/v1/recommendations/group", json={"user_ids": [user_id], "n": 5}),
        "batch": client.post("/v1/recommendations/batch", json={"user_ids": [user_id], "n": 5}),
    }


def others_see(client, user_id):
    """Return in how many answers about others the user appears."""
    shown = [
        client.get("/v1/users?limit=500").json()["users"],
        client.get("/v1/map/user-ids").json()["user_ids"],
        client.get("/v1/users/u03/similar?n=40").json()["users"],
        client.get("/v1/users/u03/similar?n=40&by=dot").json()["users"],
    ]
    return sum(f'"{user_id}"' in json.dumps(each) for each in shown)


def test_an_erased_user_is_unknown_in_every_route(client, erased_somewhere):
    client.put("/v1/users/u01/ratings/m02", json={"rating": 5})
    strangers = every_answer(client, "nobody")
    assert others_see(client, "u01") == 4
    erased_somewhere("u01")
    for name, answered in every_answer(client, "u01").items():
        stranger = strangers[name]
        assert answered.status_code == stranger.status_code, name
        # A cursor has a checksum over whose list it is.
        told, known = (re.sub(r'"next_cursor":"[^"]+"', "", a.text) for a in (answered, stranger))
        assert told.replace("u01", "nobody") == known, name
    assert others_see(client, "u01") == 0


def test_a_map_holds_everybody_else(client, erased_somewhere):
    before = client.get("/v1/map/meta").json()
    points = client.get("/v1/map/points").content
    erased_somewhere("u01")
    after = client.get("/v1/map/meta").json()
    assert after["users"] == before["users"] - 1 == 39
    assert after["version"] != before["version"]
    assert client.get("/v1/map/points").content != points
    assert client.get(f"/v1/map/points?version={before['version']}").status_code == 404
    users = client.get("/v1/map/user-ids").json()
    assert users["user_ids"] == [f"u{i:02}" for i in range(40) if i != 1]
    assert users["n_ratings"] == [9] * 39
    movies = client.get("/v1/map/movies").json()
    assert sum(movies["n_ratings"]) == 39 * 9


def test_who_comes_back_is_somebody_new(client, erased_somewhere):
    for movie in ("m00", "m02", "m04"):
        client.put(f"/v1/users/u01/ratings/{movie}", json={"rating": 5})
    erased_somewhere("u01")
    client.put("/v1/users/u01/ratings/m06", json={"rating": 5})
    client.put("/v1/users/stranger/ratings/m06", json={"rating": 5})
    mine, theirs = (
        client.get(f"/v1/users/{user}/recommendations").json() for user in ("u01", "stranger")
    )
    assert mine["movies"] == theirs["movies"]
    assert mine["model"]["fresh_ratings"] == 1
    assert [each["movie_id"] for each in client.get("/v1/users/u01/ratings").json()["ratings"]] == [
        "m06"
    ]
    # Their trained vector is still nobody's: not of a list, not of a new movie that they rate.
    client.put("/v1/movies/new", json={"title": "New", "genres": ["Kids"]})
    like = client.get("/v1/movies/new/similar").json()
    client.put("/v1/users/u01/ratings/new", json={"rating": 5})
    assert client.get("/v1/movies/new/similar").json() == like
    assert '"u01"' not in client.get("/v1/users/u03/similar?n=40").text
    assert '"u01"' not in client.get("/v1/map/user-ids").text


def test_a_change_that_arrives_late_is_not_taken_in(client, erase):
    store, current = client.rooms.store, client.rooms.current
    late = store.put_rating("u01", "m02", 5.0, 1_700_000_000).result()
    erase("u01")
    current.learn(late)
    assert current.serving.fresh.n_of_user("u01") == 0
    assert "fallback" in client.get("/v1/users/u01/recommendations").json()


def test_ratings_of_new_movies_go_too(client, erased_somewhere, retrain):
    client.put("/v1/movies/new", json={"title": "New", "genres": ["Kids"]})
    client.put("/v1/users/u03/ratings/new", json={"rating": 5})
    fewer = client.get("/v1/movies/new/similar").json()
    client.put("/v1/users/u01/ratings/new", json={"rating": 1})
    assert client.get("/v1/movies/new/similar").json() != fewer
    later = {"rating": 5, "rated_at": "2026-01-01T00:00:00Z"}  # so that theirs is not the newest
    client.put("/v1/users/u03/ratings/new", json=later)
    fewer["model"] = client.get("/v1/movies/new/similar").json()["model"]
    erased_somewhere("u01")
    assert client.get("/v1/movies/new/similar").json() == fewer


def test_what_is_popular_of_late_forgets_them(client, erased_somewhere):
    client.put("/v1/users/u03/ratings/m00", json={"rating": 5})
    fresh = client.rooms.current.serving.fresh
    before = dict(fresh.of_late())
    client.put("/v1/users/u01/ratings/m00", json={"rating": 5})
    client.put("/v1/users/u01/ratings/m02", json={"rating": 5})
    assert fresh.of_late()["m00"] > before["m00"]
    erased_somewhere("u01")
    assert fresh.of_late() == pytest.approx({**before, "m02": 0.0}, rel=1e-9)


def test_a_page_does_not_go_on_with_an_erased_vector(client, erased_somewhere):
    client.put("/v1/users/u01/ratings/m02", json={"rating": 5})
    for trained in ("u01", "u05"):
        first = client.get(f"/v1/users/{trained}/recommendations?n=2").json()
        erased_somewhere(trained)
        there = f"/v1/users/{trained}/recommendations?n=2&cursor={first['next_cursor']}"
        assert client.get(there).status_code == 422


def test_the_receipt_tells_where_something_is_left(client, erase, retrain):
    receipt = erase("u01")
    assert receipt["ratings"] == 9
    assert receipt["model_until"] == 1
    told = client.get(f"/v1/erasures/{receipt['receipt']}").json()
    assert told["version"] == receipt["version"]
    assert told["erased_at"] == receipt["erased_at"]
    assert told["places"] == [
        {"place": "database", "holds": False},
        {"place": "memory", "holds": False},
        {"place": "generation 1", "holds": True},
    ]
    assert told["complete"] is False
    assert told["out_of_reach"] == ["backups", "exports", "logs"]

    retrain()
    client.look()
    told = client.get(f"/v1/erasures/{receipt['receipt']}").json()
    assert told["places"][2:] == [
        {"place": "generation 1", "holds": True},
        {"place": "generation 2", "holds": False},
    ]
    assert client.rooms.current.serving.erased.rows == set()


def test_the_receipt_is_complete_without_the_old_generation(client, erase, retrain, data_dir):
    receipt = erase("u01")["receipt"]
    retrain()
    client.look()
    manifest = data_dir / "models/gen-000001/manifest.json"
    manifest.write_text("{}")
    told = client.get(f"/v1/erasures/{receipt}").json()
    assert told["places"][2] == {"place": "generation 1", "holds": None}
    assert told["complete"] is False
    shutil.rmtree(manifest.parent)
    told = client.get(f"/v1/erasures/{receipt}").json()
    assert told["complete"] is True
    # Who comes back is not what was erased.
    client.put("/v1/users/u01/ratings/m02", json={"rating": 5})
    retrain()
    client.look()
    assert client.get(f"/v1/erasures/{receipt}").json()["complete"] is True


def test_the_receipt_would_tell_of_a_row_that_was_put_back(client, erase):
    receipt = erase("u01")
    store = client.rooms.store

    def put_back(transaction):
        transaction.connection.execute(
            "INSERT INTO ratings VALUES ('u01', 'm01', 5.0, 0, (SELECT 99999999))"
        )
        transaction.connection.execute(
            "UPDATE ratings SET version = (SELECT min(version) - 1 FROM ratings) "
            "WHERE version = 99999999"
        )

    store._writer.submit(
        lambda t: t.connection.execute("DELETE FROM ratings WHERE version = 1")
    ).result()
    store._writer.submit(put_back).result()
    told = client.get(f"/v1/erasures/{receipt['receipt']}").json()
    assert told["places"][0] == {"place": "database", "holds": True}


def test_nobody_can_be_erased_twice(client, erase):
    erase("u01")
    again = client.delete("/v1/users/u01")
    assert again.status_code == 404
    assert again.json()["type"] == "/problems/unknown-user"


@pytest.mark.parametrize(("receipt", "status"), [("0" * 32, 404), ("0" * 31, 422), ("G" * 32, 422)])
def test_a_receipt_that_is_none(client, receipt, status):
    assert client.get(f"/v1/erasures/{receipt}").status_code == status


def test_a_server_that_starts_again_knows_of_erasures(start, data_dir):
    first = start()
    first.delete("/v1/users/u01")
    first.close()
    second = start()
    assert "fallback" in second.get("/v1/users/u01/recommendations").json()
    assert others_see(second, "u01") == 0


def test_a_model_trained_before_and_taken_up_after(client, retrain):
    retrain(publish=False)
    client.delete("/v1/users/u01")
    from recommender.generations import publish

    publish(client.rooms.settings.models_path, 2)
    client.look()
    assert client.rooms.current.serving.number == 2
    assert "fallback" in client.get("/v1/users/u01/recommendations").json()


def test_a_model_that_was_made_ready_when_somebody_went(client, retrain, monkeypatch):
    """The store was read for the new model, then the erasure came, then the swap."""
    loader, retrained = client.rooms.loader, retrain()
    prepare = loader._prepare

    def prepare_and_then(number):
        client.rooms.store.put_rating("u01", "m02", 5.0, 1).result()
        client.rooms.store.put_rating("fresh", "m02", 5.0, 1).result()
        made = prepare(number)
        for user in ("u01", "fresh"):
            assert client.delete(f"/v1/users/{user}").status_code == 200
        return made

    monkeypatch.setattr(loader, "_prepare", prepare_and_then)
    client.call(loader.look())  # and not what would learn of it a moment later
    assert client.rooms.current.serving.number == retrained
    for user in ("u01", "fresh"):
        assert "fallback" in client.get(f"/v1/users/{user}/recommendations").json(), user
        assert client.rooms.current.serving.fresh.n_of_user(user) == 0
    assert others_see(client, "u01") == 0


def test_everybody_can_go(client, world):
    for user in world.users:
        client.delete(f"/v1/users/{user}")
    assert client.get("/v1/map/meta").status_code == 503
    assert client.get("/v1/map/meta?model=course").status_code == 200
    assert "fallback" in client.get("/v1/users/u01/recommendations").json()
    assert client.get("/v1/users").json()["users"] == []


def test_a_digest_finds_its_row_and_no_other():
    users = Vocabulary.from_ids([f"user {i}" for i in range(300)])
    digests = UserDigests(users, "salt")
    for row in range(len(users)):
        assert digests.row(digest_of("salt", users.id(row))) == row
    assert digests.row(digest_of("salt", "nobody")) == -1
    assert digests.row(digest_of("pepper", "user 1")) == -1
    assert digests.row("f" * 64) == -1


def test_of_two_marks_that_agree_the_whole_digest_decides():
    users = Vocabulary.from_ids(["a", "b", "c"])
    digests = UserDigests(users, "")
    digests._marks = np.zeros(3, np.uint64)
    digests._order = np.arange(3)
    wanted = digest_of("", "b")
    assert digests.row("0" * 16 + wanted[16:]) == -1  # no whole digest is this one
    digests._marks = np.full(3, int(wanted[:16], 16), np.uint64)
    assert digests.row(wanted) == users.row("b")


def test_the_watermark_says_which_erasures_the_model_knows():
    users = Vocabulary.from_ids(["a", "b"])
    erased = Erased(users, watermark=5)
    old, new = (Erasure("r", v, digest_of("s", "a"), 0, 0) for v in (5, 6))
    assert erased.find_all([old], "s") == []
    assert erased.find_all([old, new], "s") == [(new, users.row("a"))]
    assert not erased.note(old, "s", 0)
    assert erased.note(new, "s", 0)
    assert not erased.note(new, "s", 0)
    assert erased.version_of("a") == 6
    assert erased.version_of("b") == 0


def test_the_salt_is_of_the_database(tmp_path):
    digests = []
    for name in ("one", "two"):
        with open_store(None, tmp_path / name) as store:
            from app.store import User

            store.put_user(User("u")).result()
            digests.append(store.erase_user("u").result().digest)
            assert store.get_fact(SALT)
    assert digests[0] != digests[1]
