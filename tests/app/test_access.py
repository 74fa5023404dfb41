"""Who may come in, and who may not."""

from __future__ import annotations

import pytest

from app.access import OPEN_PATHS, is_loopback, refuse_open_server
from app.main import create_app
from app.settings import Settings, SettingsError

KEY = "correct-horse-battery-staple"
RATE = ("PUT", "/v1/users/u00/ratings/m01")


def paths_of(app):
    """Every method and path that the application answers."""
    filled = {"user_id": "u00", "movie_id": "m00", "generation": "1", "path": "style.css"}
    filled["name"] = "not-found"
    filled |= {"import_id": "1", "kind": "ratings", "receipt": "1", "training_id": "1"}
    for route in app.router.routes:
        for method in sorted(route.methods - {"HEAD"}):
            yield method, route.path.replace(":path", "").format(**filled)


class TestWithAKey:
    @pytest.fixture
    def client(self, start):
        return start("http://recommender.example", host="0.0.0.0", api_key=KEY)

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"authorization": ""},
            {"authorization": "Bearer"},
            {"authorization": "Bearer "},
            {"authorization": f"Bearer {KEY}x"},
            {"authorization": f"Bearer {KEY[:-1]}"},
            {"authorization": f"Basic {KEY}"},
            {"authorization": KEY},
            {"authorization": f"Bearer {KEY} {KEY}"},
            {"authorization": b"Bearer \xff\xfe"},
            {"x-api-key": KEY},
            {"cookie": f"authorization=Bearer {KEY}"},
        ],
    )
    def test_nothing_but_the_open_paths_without_the_right_one(self, client, headers, caplog):
        for method, path in paths_of(client.app):
            response = client.request(method, path, headers=headers)
            if path in OPEN_PATHS or path.startswith(("/static/", "/problems/")):
                assert response.status_code == 200, path
                continue
            assert response.status_code == 401, (method, path)
            assert response.headers["www-authenticate"].startswith("Bearer")
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["type"] == "/problems/unauthorized"
            assert KEY not in response.text
        assert KEY not in caplog.text

    def test_not_even_what_is_not_there(self, client):
        assert client.get("/v1/nothing").status_code == 401
        assert client.get("/metrics").status_code == 401

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_the_right_key_opens(self, client, scheme):
        headers = {"authorization": f"{scheme} {KEY}"}
        assert client.get("/v1/users/u00", headers=headers).status_code == 200
        response = client.request(*RATE, json={"rating": 5}, headers=headers)
        assert response.status_code == 200

    @pytest.mark.parametrize(
        "path", ["/v1//users", "//v1/users", "/livez/../v1/users", "/static/../v1/users"]
    )
    def test_no_way_around(self, client, path):
        assert client.get(path).status_code in {401, 404}

    def test_any_host_name_will_do(self, client):
        headers = {"authorization": f"Bearer {KEY}", "host": "10.1.2.3:8000"}
        assert client.get("/v1/users", headers=headers).status_code == 200

    def test_unless_they_are_listed(self, start):
        client = start(
            "http://films.example", host="::", api_key=KEY, allowed_hosts="films.example"
        )
        headers = {"authorization": f"Bearer {KEY}"}
        assert client.get("/v1/users", headers=headers).status_code == 200
        headers["host"] = "evil.example"
        assert client.get("/v1/users", headers=headers).status_code == 403


class TestWithoutAKey:
    @pytest.fixture
    def client(self, shared_client):
        return shared_client

    @pytest.mark.parametrize(
        "host",
        ["localhost", "localhost:8000", "127.0.0.1", "127.0.0.1:80", "[::1]:8000", "LOCALHOST",
         "127.1.2.3", "localhost."],
    )  # fmt: skip
    def test_loopback_names_are_served(self, client, host):
        assert client.get("/livez", headers={"host": host}).status_code == 200

    @pytest.mark.parametrize(
        "host",
        ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example:8000",
         "10.0.0.1", "0.0.0.0", "", "a@localhost", "localhost:x", "[::1", "localhost/x",
         "localhost\t", "testserver"],
    )  # fmt: skip
    @pytest.mark.parametrize("path", ["/livez", "/v1/users", "/"])
    def test_other_names_are_not(self, client, host, path):
        """A page whose name was pointed at this computer must not read a thing."""
        response = client.get(path, headers={"host": host})
        assert response.status_code == 403
        assert response.json()["type"] == "/problems/forbidden-host"

    def test_unless_they_are_allowed(self, start):
        client = start("http://testserver", allowed_hosts="testserver, box.lan")
        assert client.get("/livez").status_code == 200
        assert client.get("/livez", headers={"host": "box.lan:8000"}).status_code == 200
        assert client.get("/livez", headers={"host": "localhost"}).status_code == 200
        assert client.get("/livez", headers={"host": "evil.example"}).status_code == 403

    @pytest.mark.parametrize(
        "headers",
        [
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"sec-fetch-site": "nonsense"},
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": "http://127.0.0.1:3000"},
            {"origin": "http://localhost:8000"},
            {"origin": "https://127.0.0.1:8000"},
            {"origin": "http://127.0.0.1:8000.evil.example"},
            {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "cross-site"},
        ],
    )
    def test_a_page_of_another_origin_changes_nothing(self, client, headers):
        before = client.rooms.store.counts(), client.rooms.store.version()
        for method, path in paths_of(client.app):
            if method != "GET":
                body = {"rating": 5} if "ratings" in path else {"title": "x"}
                response = client.request(method, path, json=body, headers=headers)
                assert response.status_code == 403, (method, path)
                assert response.json()["type"] == "/problems/cross-site-request"
        assert (client.rooms.store.counts(), client.rooms.store.version()) == before

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:8000"},
            {"sec-fetch-site": "none"},
            {"origin": "http://127.0.0.1:8000"},
        ],
    )
    def test_our_own_pages_and_programs_do(self, client, headers):
        assert client.request(*RATE, json={"rating": 5}, headers=headers).status_code == 200

    def test_no_other_origin_is_told_that_it_may_read(self, client):
        headers = {"origin": "https://evil.example", "access-control-request-method": "PUT"}
        response = client.request("OPTIONS", RATE[1], headers=headers)
        assert response.status_code == 405
        assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "recommender.example", "0"])
def test_a_server_that_others_can_reach_does_not_start_without_a_key(no_settings, tmp_path, host):
    settings = Settings.load(data_dir=tmp_path, host=host)
    with pytest.raises(SettingsError, match="PROJECTIONIST_API_KEY is not set") as refused:
        create_app(settings)
    assert host in str(refused.value)
    refuse_open_server(Settings.load(data_dir=tmp_path, host=host, api_key=KEY))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.9.9.9"])
def test_a_server_on_loopback_does(no_settings, tmp_path, host):
    create_app(Settings.load(data_dir=tmp_path, host=host))
    assert is_loopback(host)
