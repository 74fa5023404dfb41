"""Models come and go while requests are answered."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading

import numpy as np
import pytest

from app.api.schemas.operations import Model, Models, Ready, Version
from recommender.generations import load_generation, publish, write_generation


def generation_of(client, user="u00"):
    return client.get(f"/v1/users/{user}/recommendations").json()["model"]["generation"]


def test_a_published_generation_is_taken_up(client, retrain):
    assert generation_of(client) == 1
    retrain(seed=3)
    client.look()
    assert generation_of(client) == 2
    assert client.get("/version").json()["generation"] == 2


def test_it_is_noticed_without_being_asked(start, retrain):
    client = start(model_poll_seconds=0.02)
    retrain()
    deadline = threading.Event()
    for _ in range(500):
        if generation_of(client) == 2:
            break
        deadline.wait(0.02)
    assert generation_of(client) == 2


def test_fresh_ratings_are_empty_after_a_swap_that_has_seen_them(client, retrain):
    client.put("/v1/users/u00/ratings/m01", json={"rating": 5})
    before = client.get("/v1/users/u00/recommendations").json()
    assert before["model"]["fresh_ratings"] == 1
    assert len(client.rooms.current.serving.fresh) == 1
    retrain()
    client.put("/v1/users/u00/ratings/m03", json={"rating": 5})  # newer than the new model
    client.look()
    after = client.get("/v1/users/u00/recommendations", params={"n": 500}).json()
    assert after["model"] == {
        "generation": 2,
        "trained_at": "2026-11-23T10:00:00Z",
        "fresh_ratings": 1,
    }
    assert len(client.rooms.current.serving.fresh) == 1
    shown = {line["movie_id"] for line in after["movies"]}
    assert not shown & {"m01", "m03"}


def test_a_roll_back_brings_the_ratings_since_then_back(client, retrain, data_dir):
    client.put("/v1/users/u00/ratings/m01", json={"rating": 5})
    retrain()
    client.look()
    assert len(client.rooms.current.serving.fresh) == 0
    publish(data_dir / "models", 1)
    client.look()
    answer = client.get("/v1/users/u00/recommendations", params={"n": 500}).json()
    assert answer["model"]["generation"] == 1
    assert answer["model"]["fresh_ratings"] == 1
    assert "m01" not in {line["movie_id"] for line in answer["movies"]}


def test_swaps_under_load_are_not_noticed(client, retrain, data_dir, world):
    """Every answer is 200, whole, and from one generation; ratings count all the while."""
    retrain(seed=1)
    stop, wrong, asked = threading.Event(), [], []

    def reader(user):
        while not stop.is_set():
            answer = client.get(f"/v1/users/{user}/recommendations", params={"n": 500})
            if answer.status_code != 200 or len(answer.json()["movies"]) != 15:
                wrong.append(answer.text)
            asked.append(answer.json()["model"]["generation"])

    def writer():
        count = 0
        while not stop.is_set():
            user = f"w{count}"
            client.put(f"/v1/users/{user}/ratings/m01", json={"rating": 5})
            answer = client.get(f"/v1/users/{user}/recommendations", params={"n": 500}).json()
            shown = {line["movie_id"] for line in answer["movies"]}
            if "fallback" in answer or shown != set(world.movies) - {"m01"}:
                wrong.append(answer)
            count += 1

    threads = [threading.Thread(target=reader, args=(user,)) for user in ("u00", "u01")]
    threads.append(threading.Thread(target=writer))
    for thread in threads:
        thread.start()
    for swap in range(20):
        publish(data_dir / "models", swap % 2 + 1)
        client.look()
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert set(asked) == {1, 2}


def damage_truncate(folder):
    victim = folder / "ranking.item_factors.npy"
    victim.write_bytes(victim.read_bytes()[:-8])


def damage_flip(folder):
    victim = folder / "ranking.item_factors.npy"
    data = bytearray(victim.read_bytes())
    data[-3] ^= 0xFF
    victim.write_bytes(bytes(data))


def damage_remove(folder):
    shutil.rmtree(folder)


def damage_manifest(folder):
    (folder / "manifest.json").write_text("{")


def damage_version(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "format_version": 99}))


def vouched_for(folder, array, change):
    """Change an array, and let the manifest vouch for what it has become."""
    path = folder / f"{array}.npy"
    numbers = np.ascontiguousarray(change(np.load(path)))
    np.save(path, numbers)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["arrays"][array] = {
        "shape": list(numbers.shape),
        "dtype": numbers.dtype.str,
        "sha256": hashlib.sha256(numbers.data).hexdigest(),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def damage_nan(folder):
    def spoilt(factors):
        factors[0, 0] = np.nan
        return factors

    vouched_for(folder, "ranking.item_factors", spoilt)


def damage_shape(folder):
    vouched_for(folder, "ranking.user_factors", lambda factors: factors[:-1])


def damage_width(folder):
    vouched_for(folder, "stars.item_factors", lambda factors: factors[:, :-1])


def damage_header_bomb(folder):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (134217728, 64), }"
    padded = header.ljust(117) + b"\n"
    victim = folder / "ranking.item_factors.npy"
    victim.write_bytes(b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded)


def damage_pickle(folder):
    with (folder / "items.text.npy").open("wb") as file:
        np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def damage_half_published(folder):
    """As if a folder had been given its name before all was in it."""
    (folder / "manifest.json").unlink()
    (folder / "ranking.item_factors.npy").unlink()


def damage_another_number(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "generation": 7}))


DAMAGE = [
    damage_truncate,
    damage_flip,
    damage_remove,
    damage_manifest,
    damage_version,
    damage_nan,
    damage_shape,
    damage_width,
    damage_header_bomb,
    damage_pickle,
    damage_half_published,
    damage_another_number,
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_generation_leaves_the_old_one_serving(client, retrain, data_dir, damage, caplog):
    retrain()
    damage(data_dir / "models" / "gen-000002")
    client.look()
    assert generation_of(client) == 1
    answer = client.get("/v1/models").json()
    Models.model_validate(answer)
    assert answer["serving"] == 1
    assert [refused["generation"] for refused in answer["refused"]] == [2]
    assert answer["refused"][0]["reason"]
    assert str(data_dir) not in json.dumps(answer)
    assert any("refused" in record.message for record in caplog.records)
    told = {model["generation"]: model for model in answer["models"]}
    assert told[1]["state"] == "current"
    if damage is not damage_remove:  # what is not there is not listed
        assert told[2]["state"] == "damaged"
        assert told[2]["reason"]
    metrics = client.get("/metrics").text
    assert 'projectionist_model_swaps_total{result="refused"} 1.0' in metrics
    assert "projectionist_generations_refused 1.0" in metrics
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert "2 was refused" in ready.json()["notes"][0]
    caplog.clear()
    client.look()  # not tried every second
    assert not caplog.records
    repaired = retrain()
    client.look()
    assert generation_of(client) == repaired


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_start_falls_back_to_the_last_good_generation(start, retrain, data_dir, damage, caplog):
    retrain()
    damage(data_dir / "models" / "gen-000002")
    client = start()
    assert generation_of(client) == 1
    caplog.clear()
    client.look()
    assert not caplog.records  # not tried again every second


def test_a_start_falls_back_no_further_than_it_must(start, retrain, data_dir):
    retrain()
    retrain()
    damage_flip(data_dir / "models" / "gen-000003")
    assert generation_of(start()) == 2


def test_a_start_does_not_fall_back_to_what_the_gate_refused(start, retrain, data_dir):
    """Nor when it is newer than the last good one: somebody has to insist."""
    served = load_generation(data_dir / "models")
    write_generation(
        data_dir / "models",
        served.ranking,
        served.stars,
        watermark=360,
        metrics={},
        options={},
        trained_at="2026-11-24T00:00:00Z",
        reason="it is worse",
    )
    retrain()
    damage_flip(data_dir / "models" / "gen-000003")
    assert generation_of(start()) == 1


@pytest.mark.parametrize("content", [b"", b"zwei", b"-1", b"\xff\xfe", b"0"])
def test_garbage_in_current(start, data_dir, retrain, content, caplog):
    (data_dir / "models" / "CURRENT").write_bytes(content)
    client = start()
    assert generation_of(client) == 1
    assert client.get("/v1/models").json()["refused"][0]["generation"] is None
    caplog.clear()
    client.look()
    assert not [r for r in caplog.records if r.name.startswith("app.")]
    retrain()
    client.look()
    assert generation_of(client) == 2
    assert client.get("/v1/models").json()["refused"] == []


def test_current_may_vanish(client, data_dir):
    (data_dir / "models" / "CURRENT").unlink()
    client.look()
    assert generation_of(client) == 1


class TestWithoutAnyModel:
    @pytest.fixture
    def client(self, start, data_dir):
        shutil.rmtree(data_dir / "models")
        return start()

    def test_it_starts_and_says_why_it_is_not_ready(self, client):
        assert client.get("/livez").status_code == 200
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert "projectionist train" in response.json()["detail"]
        assert client.get("/version").json()["generation"] is None

    def test_recommendations_wait_and_ratings_do_not(self, client):
        for path in ("/v1/users/u00/recommendations", "/v1/movies/popular"):
            response = client.get(path)
            assert response.status_code == 503
            assert response.json()["type"] == "/problems/no-model"
            assert int(response.headers["retry-after"]) >= 1
        assert client.put("/v1/users/u00/ratings/m01", json={"rating": 5}).status_code == 200
        assert client.get("/v1/movies/m01").status_code == 200

    def test_it_heals_without_a_restart(self, client, retrain):
        client.put("/v1/users/u00/ratings/m01", json={"rating": 5})
        retrain()
        client.put("/v1/users/u00/ratings/m03", json={"rating": 5})
        client.look()
        assert client.get("/readyz").status_code == 200
        answer = client.get("/v1/users/u00/recommendations", params={"n": 500}).json()
        assert not {line["movie_id"] for line in answer["movies"]} & {"m01", "m03"}
        assert answer["model"]["fresh_ratings"] == 1


def test_models_are_listed(client, retrain):
    retrain(publish=False)
    answer = client.get("/v1/models").json()
    Models.model_validate(answer)
    assert [(m["generation"], m["state"]) for m in answer["models"]] == [
        (2, "kept"),
        (1, "current"),
    ]
    assert answer["models"][1]["metrics"] == {"ndcg_at_10": 0.5}
    one = client.get("/v1/models/1").json()
    Model.model_validate(one)
    assert one == answer["models"][1]
    assert client.get("/v1/models/7").json()["type"] == "/problems/unknown-model"
    assert client.get("/v1/models/7").status_code == 404
    assert client.get("/v1/models/0").status_code == 422
    assert client.get("/v1/models/one").status_code == 422


@pytest.mark.parametrize("damage", [damage_manifest, damage_version])
def test_a_kept_generation_that_cannot_be_read_is_told_of(client, retrain, data_dir, damage):
    retrain(publish=False)
    damage(data_dir / "models" / "gen-000002")
    answer = client.get("/v1/models").json()
    Models.model_validate(answer)
    assert [(m["generation"], m["state"]) for m in answer["models"]] == [
        (2, "damaged"),
        (1, "current"),
    ]
    (refused,) = answer["refused"]
    assert refused["generation"] == 2
    assert refused["reason"]
    assert str(data_dir) not in json.dumps(answer)
    one = client.get("/v1/models/2")
    assert (one.status_code, one.json()["type"]) == (409, "/problems/unreadable-model")
    assert str(data_dir) not in one.text


def test_health_and_version(client):
    assert client.get("/livez").json() == {"status": "ok"}
    ready = client.get("/readyz").json()
    Ready.model_validate(ready)
    assert ready == {"status": "ready", "generation": 1, "store": "ok", "notes": []}
    Version.model_validate(client.get("/version").json())


def test_recommendations_go_on_without_the_database(client):
    """Reads only counts as ready; a write says that nothing was stored."""
    client.rooms.store.close()
    assert generation_of(client) == 1
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["store"] == "unavailable"
    response = client.put("/v1/users/u00/ratings/m01", json={"rating": 5})
    assert response.status_code == 503
    assert response.json()["type"] == "/problems/store-unavailable"


def test_after_an_older_database_was_put_back_new_ratings_count_at_once(client, retrain, data_dir):
    """The model has seen versions that the database will give out a second time."""
    newer = load_generation(data_dir / "models")
    number = write_generation(
        data_dir / "models",
        newer.ranking,
        newer.stars,
        watermark=newer.manifest.watermark + 1000,
        metrics={},
        options={},
        trained_at="2026-11-23T10:00:00Z",
    )
    publish(data_dir / "models", number)
    client.look()
    before = client.get("/v1/users/u00/recommendations").json()
    first = before["movies"][0]["movie_id"]
    client.put(f"/v1/users/u00/ratings/{first}", json={"rating": 5})
    after = client.get("/v1/users/u00/recommendations", params={"n": 500}).json()
    assert after["model"]["generation"] == number
    assert after["model"]["fresh_ratings"] >= 1
    assert first not in {line["movie_id"] for line in after["movies"]}


def test_a_new_model_under_the_number_that_is_served_is_taken_up(client, retrain, data_dir):
    shutil.rmtree(data_dir / "models")
    retrain(seed=5)
    before = client.rooms.current.serving.generation
    client.look()
    after = client.rooms.current.serving.generation
    assert (before.number, after.number) == (1, 1)
    assert after is not before


@pytest.mark.parametrize("spoil", ["garbage", "a directory", "9" * 5000])
def test_a_spoilt_pointer_is_told_and_forgotten_when_it_is_mended(client, data_dir, spoil):
    pointer = data_dir / "models" / "CURRENT"
    pointer.unlink()
    if spoil == "a directory":
        pointer.mkdir()
    else:
        pointer.write_text(spoil)
    client.look()
    assert generation_of(client) == 1
    assert client.get("/v1/models").json()["refused"]
    assert client.get("/readyz").json()["notes"]
    pointer.rmdir() if spoil == "a directory" else pointer.unlink()
    publish(data_dir / "models", 1)
    client.look()
    assert client.get("/v1/models").json()["refused"] == []
    assert client.get("/readyz").json()["notes"] == []
