"""The contract of HTTP: which addresses there are, how errors look, what the document says."""

from __future__ import annotations

import json
import re

import pytest
from pydantic import BaseModel

from app.api import openapi
from app.api.routes import ROUTERS
from app.limits import LIMITS, LIMITS_HELP
from app.problems import PROBLEMS, ProblemError, problem_response, translate
from app.store import errors as store
from app.trainer.records import TrainingRecord, write_record
from recommender import errors as core
from recommender.data import cells
from recommender.data.vocabulary import MAXIMUM_ID_LENGTH


@pytest.fixture
def client(shared_client):
    return shared_client


# DESIGN.md §4, line by line; what is not in its table stands at the end.
CONTRACT = """
GET /v1/users/{user_id}/recommendations
POST /v1/recommendations
POST /v1/recommendations/group
POST /v1/recommendations/what-if
GET /v1/users/{user_id}/trace
GET /v1/movies/{movie_id}/similar
GET /v1/users/{user_id}/similar
GET /v1/movies/popular
PUT /v1/users/{user_id}/ratings/{movie_id}
DELETE /v1/users/{user_id}/ratings/{movie_id}
GET /v1/users/{user_id}/ratings
POST /v1/ratings
GET /v1/movies/{movie_id}
PUT /v1/movies/{movie_id}
DELETE /v1/movies/{movie_id}
GET /v1/movies
POST /v1/movies
GET /v1/users/{user_id}
PUT /v1/users/{user_id}
DELETE /v1/users/{user_id}
POST /v1/imports
GET /v1/imports/{import_id}
GET /v1/exports/{kind}
GET /v1/embeddings/users/{user_id}
GET /v1/embeddings/movies/{movie_id}
GET /v1/map/meta
GET /v1/map/points
GET /v1/map/movies
GET /v1/map/user-ids
GET /v1/map/matrix
GET /v1/models
GET /v1/models/{generation}
POST /v1/models/{generation}/activate
POST /v1/trainings
GET /v1/trainings/{training_id}
GET /livez
GET /readyz
GET /metrics
GET /version
GET /v1/users
GET /v1/datasets/notice
GET /problems/{name}
POST /v1/recommendations/batch
GET /v1/imports
GET /v1/trainings
GET /v1/erasures/{receipt}
""".strip().splitlines()

NOT_YET = set(
    """
POST /v1/movies
PUT /v1/users/{user_id}
GET /v1/embeddings/users/{user_id}
GET /v1/embeddings/movies/{movie_id}
""".strip().splitlines()
)


BINARY = "application/octet-stream"
TEXT = "text/plain"
NDJSON = "application/x-ndjson"
KINDS = {"application/json", BINARY, TEXT, NDJSON}


def routes(client):
    for route in client.app.router.routes:
        for method in sorted(route.methods - {"HEAD"}):
            yield method, route.path


@pytest.fixture
def document(client):
    return client.get("/openapi.json").json()


def test_what_is_served_is_the_design_but_for_what_is_named(document):
    served = {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert set(CONTRACT) >= NOT_YET
    assert served == set(CONTRACT) - NOT_YET


def test_no_address_is_served_twice(client):
    found = list(routes(client))
    assert len(found) == len(set(found))


def test_operation_ids_are_short_and_unique(document):
    ids = [o["operationId"] for path in document["paths"].values() for o in path.values()]
    assert len(ids) == len(set(ids))
    assert "recommend_for_user" in ids
    assert all(re.fullmatch(r"[a-z_]+", name) for name in ids)


def test_every_operation_is_described(document):
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["description"], where
            good = [s for s in operation["responses"] if s.startswith("2")]
            assert good, where
            for status, response in operation["responses"].items():
                if status.startswith("2"):
                    kinds = set(response.get("content", {}))
                    assert status == "204" or kinds & KINDS, where
                else:
                    assert list(response["content"]) == ["application/problem+json"], where
    assert "HTTPValidationError" not in json.dumps(document)


def test_every_documented_route_has_a_schema(client):
    for router in ROUTERS:
        for route in router.routes:
            if route.include_in_schema and route.status_code != 204:
                assert route.response_model is not None or is_no_json(route.path), route.path


def is_no_json(path):
    return path.startswith(("/v1/map/", "/v1/exports/")) or path == "/metrics"


def a_training(client):
    """Remember one that has ended, in the files of the application."""
    models = client.rooms.settings.models_path
    record = TrainingRecord("1", "ended", "request", "sweeping", 1.0, "2026-11-23T10:00:00Z")
    write_record(models, record)
    return "1"


def a_receipt(client):
    """Let somebody come and be erased."""
    client.put("/v1/users/short-lived/ratings/m00", json={"rating": 5})
    return client.delete("/v1/users/short-lived").json()["receipt"]


def an_import(client):
    """Send a file, of which nothing is stored."""
    sent = client.post("/v1/imports?dry_run=true", content=b"user,item,rating\nu00,m00,4\n")
    return sent.json()["import_id"]


def test_answers_are_what_the_document_says(client):
    filled = {"user_id": "u00", "movie_id": "m00", "generation": "1", "name": "not-found"}
    filled["training_id"] = a_training(client)
    filled["receipt"] = a_receipt(client)
    filled["import_id"] = an_import(client)
    checked = 0
    for router in ROUTERS:
        for route in router.routes:
            if "GET" in route.methods and getattr(route, "response_model", None) is not None:
                query = "?model=course" if route.path.startswith("/v1/map/") else ""
                answer = client.get(route.path.format(**filled) + query)
                assert answer.status_code == 200, route.path
                route.response_model.model_validate(answer.json())
                checked += 1
    assert checked >= 15


def test_examples_are_what_their_schemas_say(document):
    """With what is null in them, which the framework would leave out."""
    models = {model.__name__: model for model in schemas_of(BaseModel)}
    found = 0
    for name, schema in document["components"]["schemas"].items():
        for example in schema.get("examples", []) if name in models else []:
            own = models[name].model_config["json_schema_extra"]["examples"]
            assert example in own
            models[name].model_validate(example)
            found += 1
    assert found >= 15


def schemas_of(base):
    for model in base.__subclasses__():
        if model.__module__.startswith("app.api.schemas."):
            yield model
        yield from schemas_of(model)


def test_references_in_the_document_lead_somewhere(document):
    text = json.dumps(document)
    for name in set(re.findall(r'"#/components/schemas/([^"]+)"', text)):
        assert name in document["components"]["schemas"]


def test_every_error_of_every_route_is_a_problem(client, document):
    """No such address below each, a method that is not allowed, a query nobody knows."""
    documented = document["paths"]
    for method, path in routes(client):
        for verb in ("PATCH", "TRACE"):
            response = client.request(verb, re.sub(r"\{[^}]*\}", "1", path))
            assert response.status_code == 405
            assert method in response.headers["allow"].split(", ")
            assert_problem(response)
        response = client.request(method, re.sub(r"\{[^}]*\}", "1", path) + "?no_such_parameter=1")
        if method != "GET" or path in documented:  # a page's own script reads its parameters
            assert 400 <= response.status_code < 500, (method, path)
            assert_problem(response)
    for path in ("/nothing", "/v1", "/v1/", "/v1/users/", "/v1/users//recommendations"):
        response = client.get(path)
        assert response.status_code == 404
        assert_problem(response)


def assert_problem(response):
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert set(body) >= {"type", "title", "status", "detail"}
    assert body["status"] == response.status_code


def test_allow_lists_every_method_of_an_address(client):
    response = client.request("PATCH", "/v1/movies/m01")
    assert response.headers["allow"] == "DELETE, GET, PUT"


def test_the_type_of_a_problem_is_an_address_that_explains_it(client):
    for problem in PROBLEMS.values():
        answer = client.get(f"/problems/{problem.name}").json()
        assert answer["title"] == problem.title
        assert answer["status"] == problem.status
    assert client.get("/problems/none").status_code == 404


def family(root):
    yield root
    for child in root.__subclasses__():
        yield from family(child)


@pytest.mark.parametrize("error", [*family(core.RecommenderError), *family(store.StoreError)])
def test_every_error_of_core_and_store_has_a_status(error):
    told = translate(error.__new__(error)).problem
    elsewhere = (core.DownloadError, core.MissingExtraError)  # of commands, not of the service
    if issubclass(error, elsewhere) or error is core.RecommenderError:
        assert told.name == "internal-error"  # no route downloads anything
    elif issubclass(error, core.UnknownIdError) and error is not core.UnknownIdError:
        assert told.status == 404
    elif issubclass(error, core.InvalidInputError) or error is store.KeyReused:
        assert told.status == 422
    elif issubclass(error, store.StoreError) and error is not store.MovieNotFound:
        assert told.name == "store-unavailable"


def test_what_passes_says_when_to_try_again():
    for problem in PROBLEMS.values():
        passes = problem.status in {429, 503}
        assert (problem.retry_after is not None) == passes, problem.name
    for name in ("no-model", "store-unavailable"):
        response = problem_response(ProblemError(name, headers={"X-Other": "1"}))
        assert response.headers["retry-after"] == str(PROBLEMS[name].retry_after)
    assert "retry-after" not in problem_response(ProblemError("not-found")).headers


def test_the_text_of_an_error_stays_inside():
    response = problem_response(translate(core.DamagedGenerationError("/home/me/secret")))
    assert b"secret" not in response.body


def test_a_problem_never_exceeds_its_bounds():
    errors = [{"field": "x" * 120, "code": "c" * 60, "message": "é" * 160} for _ in range(100)]
    response = problem_response(ProblemError("invalid-request", errors=errors))
    assert len(response.body) <= LIMITS.problem_bytes
    body = json.loads(response.body)
    assert 1 <= len(body["errors"]) <= LIMITS.problem_errors
    assert len(body["errors"]) + body["more_errors"] == 100


def test_limits_are_explained_and_in_the_document(document):
    assert set(LIMITS_HELP) == set(LIMITS.__dataclass_fields__)
    parameters = document["paths"]["/v1/users/{user_id}/recommendations"]["get"]["parameters"]
    n = next(p for p in parameters if p["name"] == "n")["schema"]
    assert (n["minimum"], n["maximum"], n["default"]) == (1, LIMITS.n, 10)
    user_id = next(p for p in parameters if p["name"] == "user_id")["schema"]
    assert user_id["maxLength"] == LIMITS.id_length == MAXIMUM_ID_LENGTH
    movie = document["components"]["schemas"]["MovieBody"]["properties"]
    assert movie["title"]["maxLength"] == LIMITS.title_length == cells.LONGEST_TITLE
    year = movie["year"]["anyOf"][0]
    assert (year["minimum"], year["maximum"]) == (cells.FIRST_YEAR, cells.LAST_YEAR)


def test_the_example_of_the_problem_is_one(client):
    example = openapi.PROBLEM_SCHEMA["examples"][0]
    response = client.put("/v1/users/u00/ratings/m01", json={"rating": 4.3})
    assert response.json() == example


class TestPages:
    @pytest.mark.parametrize("path", ["/", "/docs"])
    def test_are_served_and_asked_about_each_time(self, client, path):
        response = client.get(path)
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/html")
        assert response.headers["cache-control"] == "no-cache"
        again = client.get(path, headers={"if-none-match": response.headers["etag"]})
        assert again.status_code == 304

    @pytest.mark.parametrize(
        "path",
        ["../main.py", "%2e%2e/main.py", "..%2fmain.py", "../../pyproject.toml", "%2fetc%2fpasswd",
         "..%5cmain.py", "none.css", "", "/etc/passwd", "%00"],
    )  # fmt: skip
    def test_nothing_outside_of_the_folder(self, client, path):
        response = client.get(f"/static/{path}")
        assert 400 <= response.status_code < 500
        assert_problem(response)

    def test_the_notice_of_the_data(self, client):
        notice = client.get("/v1/datasets/notice").json()["notice"]
        assert notice == "Simulated ratings: no real person."
