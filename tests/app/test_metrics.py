"""What Prometheus is told, and that it agrees with what happened."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from app.store import Movie, StoreUnavailable
from app.store.operations import put_movie
from app.telemetry import RequestCounts, Telemetry
from app.telemetry.metrics import BOUNDS, METHODS, METRICS, PROCESS_METRICS
from app.trainer.records import TrainingRecord, write_record

ROOT = Path(__file__).resolve().parents[2]
KEY = "correct-horse-battery-staple"
REQUESTS, SECONDS = "projectionist_http_requests_total", "projectionist_http_request_seconds"


def samples(text):
    """Every sample by its name and its labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def ask(client, name, **labels):
    return samples(client.get("/metrics").text).get((name, *sorted(labels.items())))


def told(collector):
    registry = CollectorRegistry()
    registry.register(collector)
    return samples(generate_latest(registry).decode())


class TestCounting:
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["GET", "PUT", "HEAD"]),
                st.sampled_from(["/a", "/a/{b}", None]),
                st.sampled_from([0, 200, 404]),
                st.one_of(st.floats(0, 20), st.sampled_from(BOUNDS[:-1])),
            )
        )
    )
    def test_it_counts_as_the_client_library_does(self, requests):
        ours, theirs = RequestCounts(), CollectorRegistry()
        counter = Counter(REQUESTS, "", METRICS[REQUESTS].labels, registry=theirs)
        times = Histogram(SECONDS, "", METRICS[SECONDS].labels, buckets=BOUNDS, registry=theirs)
        for method, route, status, seconds in requests:
            ours.observe(method, route, status, seconds)
            counter.labels(method, route or "none", status).inc()
            times.labels(route or "none").observe(seconds)
        found = told(ours)
        assert found.pop(("projectionist_http_requests_in_flight",)) == 0
        wanted = samples(generate_latest(theirs).decode())
        assert found == {key: n for key, n in wanted.items() if not key[0].endswith("_created")}

    def test_what_a_client_makes_up_has_no_series_of_its_own(self):
        counts = RequestCounts()
        counts.observe("GET", None, 404, 0.1)
        counts.observe("BREW", None, 404, 0.1)
        before = len(told(counts))
        for number in range(1000):
            counts.observe(f"BREW{number}", None, 404, 0.1)
        after = told(counts)
        assert len(after) == before
        key = (REQUESTS, ("method", "other"), ("route", "none"), ("status", "404"))
        assert after[key] == 1001
        assert len(counts._answers) == 2

    def test_the_methods_of_our_routes_are_told_apart(self, shared_client):
        used = {method for route in shared_client.app.routes for method in route.methods}
        assert used <= METHODS


class TestTheLayer:
    """Around an application that does what it is told."""

    @pytest.mark.parametrize(
        ("error", "status"), [(None, 204), (RuntimeError, 500), (asyncio.CancelledError, 0)]
    )
    def test_however_it_ends_it_is_counted_once(self, error, status):
        counts, seen = RequestCounts(), []

        async def inner(scope, receive, send):
            seen.append(counts.in_flight)
            if error is not None:
                raise error
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

        self.call(Telemetry(inner, counts), error is asyncio.CancelledError)
        assert seen == [1]
        key = (REQUESTS, ("method", "GET"), ("route", "none"), ("status", str(status)))
        found = told(counts)
        assert found[key] == 1
        assert found[f"{SECONDS}_count", ("route", "none")] == 1
        assert counts.in_flight == 0

    def test_half_an_answer_is_counted_with_its_status(self):
        counts = RequestCounts()

        async def inner(scope, receive, send):
            scope["route"] = SimpleNamespace(path="/half/{id}")
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise RuntimeError

        self.call(Telemetry(inner, counts), True)
        key = (REQUESTS, ("method", "GET"), ("route", "/half/{id}"), ("status", "200"))
        assert told(counts)[key] == 1

    @staticmethod
    def call(layer, raises):
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": None}

        async def nothing(*_):
            return {"type": "http.disconnect"}

        if raises:
            with pytest.raises((RuntimeError, asyncio.CancelledError)):
                asyncio.run(layer(scope, nothing, nothing))
        else:
            asyncio.run(layer(scope, nothing, nothing))


class TestTheAnswer:
    def test_is_the_text_format(self, client):
        response = client.get("/metrics")
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert response.text.endswith("\n")
        assert client.request("HEAD", "/metrics").status_code == 200

    def test_routes_are_told_by_their_template(self, client):
        client.get("/v1/users/a-person/recommendations")
        client.get("/v1/users/AC%2FDC/recommendations?n=3")
        client.request("HEAD", "/v1/movies/m01")
        client.put("/v1/movies/m01", content=b"x" * 10)
        client.get("/a-place/that-is-not")
        client.request("BREW", "/livez")
        text = client.get("/metrics").text
        for name in ("a-person", "AC", "m01", "a-place", "BREW"):
            assert name not in text
        found = samples(text)

        def count(method, route, status):
            labels = {"method": method, "route": route, "status": str(status)}
            return found.get((REQUESTS, *sorted(labels.items())))

        recommendations = "/v1/users/{user_id}/recommendations"
        assert count("GET", recommendations, 200) == 2
        assert count("HEAD", "/v1/movies/{movie_id}", 200) == 1
        assert count("PUT", "/v1/movies/{movie_id}", 415) == 1
        assert count("GET", "none", 404) == 1
        assert [n for (name, *labels), n in found.items() if ("method", "other") in labels] == [1]
        assert found[f"{SECONDS}_count", ("route", recommendations)] == 2
        assert 0 < found[f"{SECONDS}_sum", ("route", recommendations)] < 60
        assert found["projectionist_http_requests_in_flight",] == 1  # the one that asks
        assert not [key for key in found if ("route", "/metrics") in key]  # is not over yet
        assert ask(client, REQUESTS, method="GET", route="/metrics", status="200") == 1

    def test_each_application_has_its_own(self, start, client, tmp_path):
        other = start(data_dir=tmp_path / "other")
        for _ in range(3):
            other.get("/livez")
        labels = {"method": "GET", "route": "/livez", "status": "200"}
        assert ask(client, REQUESTS, **labels) is None
        assert ask(other, REQUESTS, **labels) == 3

    def test_needs_the_key_where_there_is_one(self, start):
        client = start("http://films.example", host="0.0.0.0", api_key=KEY)
        assert client.get("/livez").status_code == 200
        refused = client.get("/metrics")
        assert refused.status_code == 401
        assert "projectionist_" not in refused.text
        answer = client.get("/metrics", headers={"authorization": f"Bearer {KEY}"})
        assert answer.status_code == 200
        found = samples(answer.text)
        assert found[REQUESTS, ("method", "GET"), ("route", "none"), ("status", "401")] == 1
        assert KEY not in answer.text


class TestTheModel:
    def test_its_generation_and_what_is_newer(self, client, retrain):
        assert ask(client, "projectionist_model_generation") == 1
        # 2026-11-23T10:00:00Z, as its manifest says
        assert ask(client, "projectionist_model_trained_timestamp_seconds") == 1_795_428_000
        assert ask(client, "projectionist_fresh_ratings") == 0
        client.put("/v1/users/u00/ratings/m01", json={"rating": 5})
        client.put("/v1/users/new/ratings/m01", json={"rating": 5})
        assert ask(client, "projectionist_fresh_ratings") == 2
        retrain()
        client.look()
        assert ask(client, "projectionist_model_generation") == 2
        assert ask(client, "projectionist_fresh_ratings") == 0
        assert ask(client, "projectionist_generations_refused") == 0

    def test_one_that_was_refused(self, client, retrain, data_dir):
        retrain()
        (data_dir / "models" / "gen-000002" / "manifest.json").write_text("{")
        client.look()
        assert ask(client, "projectionist_model_generation") == 1
        assert ask(client, "projectionist_generations_refused") == 1

    def test_none(self, start, tmp_path):
        client = start(data_dir=tmp_path / "empty")
        assert client.get("/readyz").status_code == 503
        assert ask(client, "projectionist_model_generation") == 0
        assert ask(client, "projectionist_fresh_ratings") == 0
        assert ask(client, "projectionist_model_trained_timestamp_seconds") is None

    def test_a_time_that_is_none_is_left_out(self, start, data_dir):
        path = data_dir / "models" / "gen-000001" / "manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "trained_at": "yesterday"}))
        client = start()
        assert ask(client, "projectionist_model_generation") == 1
        assert ask(client, "projectionist_model_trained_timestamp_seconds") is None


class TestTheStore:
    def test_counts_what_was_committed(self, client):
        def counters():
            found = samples(client.get("/metrics").text)
            return [found[f"projectionist_store_{n}_total",] for n in ("commits", "operations")]

        commits, operations = counters()
        for stars in (1, 2, 3):
            client.put("/v1/users/u00/ratings/m01", json={"rating": stars})
        assert counters() == [commits + 3, operations + 3]
        client.put("/v1/users/u00/ratings/nothing", json={"rating": 3})
        assert counters()[1] == operations + 3
        assert ask(client, "projectionist_store_queued") == 0

    def test_says_when_nothing_can_be_stored_and_when_it_can_again(self, client):
        writer = client.rooms.store._writer
        big = put_movie(Movie("big", "Big", attributes={"text": "x" * 300_000}))

        def limit(pages):
            return lambda t: t.connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()

        assert ask(client, "projectionist_store_writable") == 1
        writer.submit(limit(1)).result(10)  # SQLITE_FULL, as from a full disk
        with pytest.raises(StoreUnavailable):
            writer.submit(big).result(10)
        assert ask(client, "projectionist_store_writable") == 0
        assert writer.submit(big).result(10) is True  # by a new connection, without the limit
        assert ask(client, "projectionist_store_writable") == 1


class TestTheDocumentation:
    @pytest.fixture
    def families(self, shared_client):
        shared_client.get("/livez")
        ended = {"ended_at": "2026-11-24T00:00:10Z", "seconds": 10.0, "outcome": "published"}
        record = TrainingRecord("1", "ended", "command", "", 1.0, "2026-11-24T00:00:00Z", **ended)
        write_record(shared_client.rooms.settings.models_path, record)
        text = shared_client.get("/metrics").text
        return re.findall(r"^# HELP (\S+) (.+)\n# TYPE \1 (\w+)$", text, re.MULTILINE)

    def test_names_every_metric_that_is_told(self, families):
        reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
        section = reference.partition("\n## Metrics\n")[2].partition("\n## ")[0]
        assert len(families) > 15
        for name, meaning, kind in families:
            line = re.search(rf"^\| `{name}` \| {kind} \|.*$", section, re.MULTILINE)
            assert line, f"docs/reference.md does not tell of {name}: run `make docs`"
            assert meaning in line[0]

    def test_names_none_that_is_not(self, families):
        assert {name for name, *_ in families} == {*METRICS, *PROCESS_METRICS}

    def test_the_alarms_ask_for_what_there_is(self):
        text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
        named = set(re.findall(r"projectionist_[a-z_]*[a-z]", text))
        assert len(named) >= 6
        assert {name.removesuffix("_bucket") for name in named} <= set(METRICS)

    @pytest.mark.parametrize("metric", METRICS.values(), ids=list(METRICS))
    def test_names_follow_the_conventions(self, metric):
        assert re.fullmatch(r"projectionist_[a-z]+(_[a-z]+)*", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.help.endswith(".")
