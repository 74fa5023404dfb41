"""Trainings that a server starts, in processes of their own, and going back to earlier models."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from app.api.schemas.operations import Model, Models
from app.api.schemas.trainings import Training, Trainings
from app.trainer.lock import holder
from app.trainer.records import read_record
from recommender.generations import (
    current_number,
    generation_path,
    load_generation,
    publish,
    write_generation,
)

ROOT = Path(__file__).resolve().parents[2]
SWAPS = int(os.environ.get("PROJECTIONIST_TEST_SWAPS", "20"))


def ended(client, training, seconds=60):
    """Follow a training to its end."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = client.get(f"/v1/trainings/{training}").json()
        Training.model_validate(found)
        if found["state"] == "ended":
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def generation_of(client):
    return client.get("/v1/users/u00/recommendations").json()["model"]["generation"]


def test_the_whole_way(client, data_dir):
    started = client.post("/v1/trainings")
    assert started.status_code == 202
    Training.model_validate(started.json())
    training = started.json()["id"]
    assert (started.json()["state"], started.json()["trigger"]) == ("running", "request")
    assert started.headers["location"] == f"/v1/trainings/{training}"

    second = client.post("/v1/trainings")
    assert second.status_code == 409
    assert second.json()["type"] == "/problems/training-running"
    assert training in second.json()["detail"]
    assert second.headers["location"] == f"/v1/trainings/{training}"
    assert "projectionist_train_running 1.0" in client.get("/metrics").text

    found = ended(client, training)
    assert (found["outcome"], found["generation"], found["progress"]) == ("published", 2, 1.0)
    assert found["watermark"] == 360
    client.look()
    assert generation_of(client) == 2
    listed = client.get("/v1/trainings").json()
    Trainings.model_validate(listed)
    assert listed["trainings"] == [found]
    metrics = client.get("/metrics").text
    assert 'projectionist_train_duration_seconds{outcome="published"}' in metrics
    assert "projectionist_train_last_success_timestamp_seconds" in metrics
    assert 'projectionist_model_swaps_total{result="taken"} 2.0' in metrics
    assert "projectionist_model_age_seconds" in metrics


def test_killed_it_has_failed_and_the_next_one_is_stopped_with_the_server(client, data_dir):
    training = client.post("/v1/trainings").json()["id"]
    (child,) = client.rooms.launcher._children
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    found = ended(client, training, seconds=1)
    assert found["outcome"] == "failed"
    assert "killed" in found["reason"]
    assert generation_of(client) == 1
    following = client.post("/v1/trainings")
    assert following.status_code == 202
    client.close()
    models = data_dir / "models"
    assert holder(models) is None
    assert current_number(models) == 1


ORPHANED = """
import os
from app.settings import Settings
from app.trainer.launcher import Launcher
Launcher(Settings.load()).start("request")
os._exit(0)
"""


@pytest.mark.usefixtures("no_settings")
def test_it_ends_with_the_server_that_started_it(data_dir):
    """However that ended: here without a word."""
    environment = os.environ | {"PROJECTIONIST_DATA_DIR": str(data_dir)}
    subprocess.run([sys.executable, "-c", ORPHANED], env=environment, cwd=ROOT, check=True)
    models, until = data_dir / "models", time.monotonic() + 30
    while holder(models) is not None and time.monotonic() < until:
        time.sleep(0.05)
    record = read_record(models, "1")
    assert (record.outcome, record.reason) == ("cancelled", "it was stopped")
    assert current_number(models) == 1


def test_one_that_takes_too_much_memory_is_ended(start):
    client = start(train_memory_mib=1)
    found = ended(client, client.post("/v1/trainings").json()["id"])
    assert found["outcome"] == "failed"
    assert "TRAIN_MEMORY_MIB allows 1" in found["reason"]
    assert generation_of(client) == 1


def test_changes_start_one(start):
    client = start(train_after_changes=3, model_poll_seconds=0.05)
    for movie in ("m01", "m03"):
        client.put(f"/v1/users/u00/ratings/{movie}", json={"rating": 5})
    client.delete("/v1/users/u00/ratings/m03")
    until = time.monotonic() + 60
    while generation_of(client) != 2 and time.monotonic() < until:
        time.sleep(0.05)
    assert generation_of(client) == 2
    (record,) = client.get("/v1/trainings").json()["trainings"]
    assert (record["trigger"], record["watermark"]) == ("changes", 363)


def test_nothing_is_known_of_others(client):
    for training in ("1", "999999999999"):
        response = client.get(f"/v1/trainings/{training}")
        assert (response.status_code, response.json()["type"]) == (
            404,
            "/problems/unknown-training",
        )
    for training in ("x", "-1", "1.5", "9" * 13):
        assert client.get(f"/v1/trainings/{training}").status_code == 422
    assert client.get("/v1/trainings").json() == {"trainings": []}


def test_when_none_can_be_started_that_is_told(client, data_dir):
    (data_dir / "models" / "trainings").write_text("")  # a file where a folder should be
    response = client.post("/v1/trainings")
    assert response.status_code == 503
    assert response.json()["type"] == "/problems/training-unavailable"
    assert str(data_dir) not in response.text
    assert holder(data_dir / "models") is None


class TestActivation:
    def refused(self, data_dir):
        """Write a generation that the gate refused."""
        served = load_generation(data_dir / "models")
        return write_generation(
            data_dir / "models", served.ranking, served.stars, watermark=360, metrics={},
            options={}, trained_at="2026-11-24T00:00:00Z", parent=1, reason="it is worse",
        )  # fmt: skip

    def test_back_and_forth(self, client, retrain, data_dir):
        retrain()
        client.look()
        answer = client.post("/v1/models/1/activate")
        assert answer.status_code == 200
        Model.model_validate(answer.json())
        assert (answer.json()["generation"], answer.json()["state"]) == (1, "current")
        assert generation_of(client) == 1  # at once, in this process
        assert current_number(data_dir / "models") == 1
        assert client.post("/v1/models/2/activate").json()["state"] == "current"
        states = [model["state"] for model in client.get("/v1/models").json()["models"]]
        assert states == ["current", "kept"]

    def test_other_processes_notice_within_two_seconds(self, client, retrain, data_dir):
        retrain()
        client.look()
        publish(data_dir / "models", 1)  # as another process does
        assert client.call(self._until_noticed(client)) <= 2.0

    async def _until_noticed(self, client):
        began = time.monotonic()
        looking = asyncio.create_task(client.rooms.loader.run(1.0))  # the default of the setting
        while client.rooms.current.serving.number != 1 and time.monotonic() < began + 10:
            await asyncio.sleep(0.01)
        looking.cancel()
        return time.monotonic() - began

    def test_a_refused_one_is_kept_and_served_by_force_alone(self, client, data_dir):
        number = self.refused(data_dir)
        listed = client.get("/v1/models").json()
        Models.model_validate(listed)
        newest = listed["models"][0]
        assert (newest["state"], newest["reason"]) == ("refused", "it is worse")
        assert newest["size_bytes"] > 1000
        response = client.post(f"/v1/models/{number}/activate")
        assert (response.status_code, response.json()["type"]) == (409, "/problems/refused-model")
        assert current_number(data_dir / "models") == 1
        answer = client.post(f"/v1/models/{number}/activate?force=true")
        assert (answer.status_code, answer.json()["state"]) == (200, "current")
        assert generation_of(client) == number

    @pytest.mark.parametrize("query", ["", "?force=true"])
    def test_a_damaged_one_is_not_published(self, client, retrain, data_dir, query):
        retrain(publish=False)
        victim = generation_path(data_dir / "models", 2) / "ranking.item_factors.npy"
        data = bytearray(victim.read_bytes())
        data[-1] ^= 1
        victim.write_bytes(bytes(data))
        response = client.post(f"/v1/models/2/activate{query}")
        assert response.status_code == 409
        assert response.json()["type"] == "/problems/unreadable-model"
        assert current_number(data_dir / "models") == 1
        assert generation_of(client) == 1

    @pytest.mark.parametrize(("path", "status"), [("7", 404), ("0", 422), ("x", 422)])
    def test_none_there(self, client, path, status):
        assert client.post(f"/v1/models/{path}/activate").status_code == status

    @pytest.mark.chaos
    def test_swaps_by_request_under_load_are_not_noticed(self, client, retrain):
        retrain(seed=2)
        stop, wrong = threading.Event(), []

        def reader():
            while not stop.is_set():
                answer = client.get("/v1/users/u00/recommendations", params={"n": 500})
                if answer.status_code != 200 or len(answer.json()["movies"]) != 15:
                    wrong.append(answer.text)

        thread = threading.Thread(target=reader)
        thread.start()
        for swap in range(SWAPS):
            number = 1 + swap % 2
            assert client.post(f"/v1/models/{number}/activate").json()["state"] == "current"
        stop.set()
        thread.join()
        assert not wrong
