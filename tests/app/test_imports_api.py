"""Imports and exports over HTTP."""

from __future__ import annotations

import asyncio
import io
import time
import zipfile

import polars as pl
import pytest

from app.api.schemas.imports import Import, Imports
from app.limits import LIMITS
from app.store import open_store

HEADER = "user,item,rating,timestamp\n"
GOOD = HEADER + "new1,m01,4,1600000000\nnew1,m02,3,1600000000\nnew2,film9,5,1600000000\n"
BAD = GOOD + "new3,m01,eleven,1600000000\n"


def sent(client, content, **params):
    response = client.post("/v1/imports", content=content, params=params)
    assert response.status_code == 202, response.text
    answer = Import.model_validate(response.json())
    assert response.headers["location"] == f"/v1/imports/{answer.import_id}"
    return answer.import_id


def ended(client, import_id):
    for _ in range(400):
        document = Import.model_validate(client.get(f"/v1/imports/{import_id}").json())
        if document.state in {"done", "failed"}:
            return document
        time.sleep(0.02)
    raise AssertionError(document)


def imported(client, content, **params):
    return ended(client, sent(client, content, **params))


def test_a_file_is_imported_and_known_to_the_next_list(client):
    document = imported(client, GOOD)
    assert (document.state, document.rows, document.bad) == ("done", 3, 0)
    assert (document.stored.ratings, document.stored.users, document.stored.movies) == (3, 2, 1)
    client.call(asyncio.sleep(0.1))
    assert client.get("/v1/movies/film9").json()["title"] == "film9"
    listed = client.get("/v1/users/new1/recommendations?n=500").json()
    assert not {"m01", "m02"} & {line["movie_id"] for line in listed["movies"]}
    assert not list((client.rooms.settings.data_dir / "imports").iterdir())


def test_a_bad_row_spoils_an_atomic_import_and_not_one_that_skips(client):
    before = client.rooms.store.version()
    document = imported(client, BAD)
    assert (document.state, document.bad, client.rooms.store.version()) == ("failed", 1, before)
    (error,) = document.errors
    assert (error.line, error.column, error.file) == (5, "rating", "upload")
    assert "nothing was stored" in document.reason
    document = imported(client, BAD, mode="skip")
    assert (document.state, document.stored.ratings, document.bad) == ("done", 3, 1)


def test_a_dry_run_stores_nothing(client):
    before = client.rooms.store.version()
    document = imported(client, BAD, dry_run=True, mode="skip")
    assert (document.state, document.rows, document.bad, document.stored) == ("done", 4, 1, None)
    assert client.rooms.store.version() == before


def test_every_format(client):
    frame = pl.DataFrame({"user": ["p"], "item": ["m01"], "rating": [4.0]})
    parquet = io.BytesIO()
    frame.write_parquet(parquet)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("ratings.csv", GOOD)
        files.writestr("movies.csv", "movie_id,title,year,genres\nfilm9,Nine,2009,Drama\n")
    line = b'{"movie_id": "film8", "title": "Eight", "available": false, "attributes": {"a": 1}}'
    assert imported(client, parquet.getvalue()).state == "done"
    assert imported(client, archive.getvalue(), format="zip").state == "done"
    assert imported(client, line, kind="movies", format="ndjson").state == "done"
    client.call(asyncio.sleep(0.1))
    assert client.get("/v1/movies/film9").json()["title"] == "Nine"
    assert client.get("/v1/movies/film8").json()["available"] is False
    listed = Imports.model_validate(client.get("/v1/imports").json()).imports
    assert [line.state for line in listed] == ["done"] * 3
    assert len(client.get("/v1/imports?limit=1").json()["imports"]) == 1


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"PK\x03\x04garbage", b"PAR1garbage", b"{"])
def test_garbage_fails_with_a_reason(client, content):
    document = imported(client, content)
    assert document.state == "failed"
    assert document.reason
    assert "imports/" not in document.reason


def test_what_is_no_import_is_refused(client, monkeypatch):
    assert client.get("/v1/imports/nope").json()["type"] == "/problems/unknown-import"
    for params in (
        {"mode": "x"},
        {"kind": "x"},
        {"format": "xlsx"},
        {"dry_run": "perhaps"},
        {"x": 1},
    ):
        assert client.post("/v1/imports", content=GOOD, params=params).status_code == 422
    large = {"Content-Length": str(LIMITS.import_bytes + 1)}
    response = client.post("/v1/imports", content=b"x", headers=large)
    assert (response.status_code, response.json()["type"]) == (413, "/problems/body-too-large")
    monkeypatch.setattr("app.importing.jobs.WAITING", 0)
    response = client.post("/v1/imports", content=GOOD)
    assert (response.status_code, response.json()["type"]) == (429, "/problems/too-many-imports")
    assert "retry-after" in response.headers


def test_a_server_that_was_stopped_goes_on(start, data_dir):
    first = start()
    first.rooms.imports.close()  # as if it had no time for it
    import_id = sent(first, GOOD)
    assert first.get(f"/v1/imports/{import_id}").json()["state"] == "queued"
    lost = sent(first, GOOD)
    (data_dir / "imports" / f"{lost}.upload").unlink()
    first.close()
    second = start()
    assert ended(second, import_id).state == "done"
    document = ended(second, lost)
    assert (document.state, "not there" in document.reason) == ("failed", True)


def test_the_loop_goes_on_during_an_import(client):
    lines = "".join(f"w{n % 997},m{n % 24:02},4,{10**9 + n}\n" for n in range(60_000))
    body = (HEADER + lines).encode()

    async def longest():
        worst, last = 0.0, time.perf_counter()
        while not done:
            await asyncio.sleep(0)
            now = time.perf_counter()
            worst, last = max(worst, now - last), now
        return worst

    done = []
    watching = asyncio.run_coroutine_threadsafe(longest(), client.loop)
    document = imported(client, body)
    done.append(True)
    assert document.state == "done"
    assert watching.result(10) < 0.25  # 20 ms on an idle machine; a busy one takes turns


@pytest.mark.parametrize("kind", ["ratings", "movies", "users"])
@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_exports_come_back_as_they_were(client, tmp_path, kind, form):
    response = client.get(f"/v1/exports/{kind}", params={"format": form})
    assert response.status_code == 200
    assert int(response.headers["content-length"]) == len(response.content)
    assert f"{kind}.{form}" in response.headers["content-disposition"]
    before = client.rooms.store.version()
    document = imported(client, response.content, kind=kind, format=form)
    assert document.state == "done", document
    assert client.rooms.store.version() == before
    with open_store(None, tmp_path / "other") as other:
        assert other.version() == 0
    assert not list((client.rooms.settings.data_dir / "exports").iterdir())


def test_an_export_of_something_else_is_refused(client):
    assert client.get("/v1/exports/secrets").status_code == 422
    assert client.get("/v1/exports/ratings?format=xlsx").status_code == 422
