"""Downloads from a real HTTP server on this machine that misbehaves in every way we know."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import re
import socket
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from recommender.data.dataset import read_dataset
from recommender.data.download import default_cache_dir, download
from recommender.data.movielens_releases import RELEASE_NAMES, RELEASES
from recommender.errors import DownloadError, InvalidOptionError

NAME = "ml-latest-small"
ZIP = f"{NAME}.zip"


def archive(seed=0):
    """Return a small MovieLens archive; its ballast makes it long enough to be cut."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as file:
        file.writestr(f"{NAME}/ratings.csv", "userId,movieId,rating,timestamp\n1,2,3.5,4\n")
        file.writestr(f"{NAME}/movies.csv", f"movieId,title,genres\n2,Film {seed} (1999),Drama\n")
        file.writestr(f"{NAME}/README.txt", f"{seed}".encode() * 400_000)
    return content.getvalue()


@dataclass
class Behaviour:
    """What the server holds and how it behaves; tests change it as they go."""

    content: bytes = field(default_factory=archive)
    checksum: str | None = None
    ranges: bool = True
    etag: str | None = '"v1"'
    announce_length: bool = True
    cut_after: list[int] = field(default_factory=list)
    stall: bool = False
    wrong_part: bool = False
    status: dict[str, int] = field(default_factory=dict)
    redirect: str | None = None
    requests: list[tuple[str, str | None, str | None]] = field(default_factory=list)

    @property
    def md5_file(self):
        digest = hashlib.md5(self.content).hexdigest()
        return self.checksum if self.checksum is not None else f"MD5 ({ZIP}) = {digest}\n"

    def asked(self, name=ZIP):
        """Return the Range header of each request for a file."""
        return [wanted for path, wanted, _ in self.requests if path == f"/{name}"]


class Handler(BaseHTTPRequestHandler):
    """Answers as its server's behaviour says."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        how = self.server.how
        how.requests.append((self.path, self.headers.get("Range"), self.headers.get("If-Range")))
        name = self.path[1:]
        if how.redirect and not name.startswith("moved"):
            return self.send(302, {"Location": f"{how.redirect}{name}"}, b"")
        name = name.removeprefix("moved-")
        if name in how.status:
            return self.send(how.status[name], {}, b"no")
        if name == f"{ZIP}.md5":
            return self.send(200, {}, how.md5_file.encode())
        if not name.endswith(".zip"):
            return self.send(404, {}, b"none")
        return self.send_archive(how)

    def send_archive(self, how):
        headers = {"ETag": how.etag} if how.etag else {}
        start = self.wanted_start(how)
        if start is None:
            return self.send(200, headers, how.content)
        if start >= len(how.content):
            return self.send(416, {"Content-Range": f"bytes */{len(how.content)}"}, b"")
        shift = 1 if how.wrong_part else 0
        span = f"bytes {start + shift}-{len(how.content) - 1}/{len(how.content)}"
        return self.send(206, {**headers, "Content-Range": span}, how.content[start + shift :])

    def wanted_start(self, how):
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not found or not how.ranges or self.headers.get("If-Range") != how.etag:
            return None
        return int(found[1])

    def send(self, status, headers, body):
        how = self.server.how
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        is_archive = status in {200, 206} and self.path.endswith(".zip")
        if how.announce_length or not is_archive:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if is_archive and how.cut_after:
            self.wfile.write(body[: how.cut_after.pop(0)])
            self.wfile.flush()
            self.close_connection = True
            if how.stall:
                self.server.released.wait(20)
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.wfile.write(body)


@pytest.fixture
def server():
    """Run a server; ``server.how`` is its behaviour, ``server.url`` its address."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = False
    http.how, http.released = Behaviour(), threading.Event()
    http.url = f"http://127.0.0.1:{http.server_port}/"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield http
    http.released.set()
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def cache(tmp_path):
    """Return a folder that does not exist yet."""
    return tmp_path / "deep" / "cache"


def fetch(server, cache, **options):
    return download(NAME, cache, base_url=server.url, **{"timeout": 5.0, **options})


def refused(server, cache, says, **options):
    with pytest.raises(DownloadError, match=says) as caught:
        fetch(server, cache, **options)
    assert not (cache / ZIP).exists()
    return str(caught.value)


# --- what works ---------------------------------------------------------------------------


def test_an_archive_is_fetched_verified_and_readable(server, cache):
    steps = []
    path = fetch(server, cache, progress=lambda done, total: steps.append((done, total)))
    assert path == cache / ZIP
    assert path.read_bytes() == server.how.content
    assert read_dataset(path).movies["title"].to_list() == ["Film 0"]
    size = len(server.how.content)
    assert steps[0] == (0, size)
    assert steps[-1] == (size, size)
    assert [done for done, _ in steps] == sorted({done for done, _ in steps})
    assert not list(cache.glob("*.part*"))


def test_the_cached_file_is_verified_and_used_again(server, cache):
    fetch(server, cache)
    server.how.requests.clear()
    steps = []
    path = fetch(server, cache, progress=lambda done, total: steps.append((done, total)))
    assert path.exists()
    assert server.how.requests == []
    assert steps == [(path.stat().st_size, path.stat().st_size)]


def test_a_cached_file_that_was_altered_is_fetched_again(server, cache):
    path = fetch(server, cache)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert fetch(server, cache).read_bytes() == server.how.content


def test_a_file_put_there_by_hand_is_used_when_it_is_whole(server, cache):
    cache.mkdir(parents=True)
    (cache / ZIP).write_bytes(server.how.content)
    assert fetch(server, cache) == cache / ZIP
    assert server.how.requests == []
    (cache / ZIP).write_bytes(server.how.content[:-50])
    assert fetch(server, cache).read_bytes() == server.how.content


def test_a_file_put_there_by_hand_must_have_the_known_checksum(server, cache):
    cache.mkdir(parents=True)
    (cache / "ml-1m.zip").write_bytes(server.how.content)
    server.how.status["ml-1m.zip"] = 404
    with pytest.raises(DownloadError) as caught:
        download("ml-1m", cache, base_url=server.url)
    assert RELEASES["ml-1m"].md5 in str(caught.value)
    # It is the user's file: it stays until a better one replaces it.
    assert (cache / "ml-1m.zip").read_bytes() == server.how.content


def test_a_server_that_announces_no_length(server, cache):
    server.how.announce_length = False
    steps = []
    fetch(server, cache, progress=lambda done, total: steps.append((done, total)))
    assert steps[-1] == (len(server.how.content), None)


def test_redirects_are_followed(server, cache):
    server.how.redirect = server.url + "moved-"
    assert fetch(server, cache).read_bytes() == server.how.content
    assert len(server.how.asked(f"moved-{ZIP}")) == 1


def test_the_other_way_to_write_a_checksum(server, cache):
    server.how.checksum = f"{hashlib.md5(server.how.content).hexdigest().upper()} *{ZIP}\n"
    assert fetch(server, cache).exists()


# --- going on where it stopped ------------------------------------------------------------


def test_a_cut_connection_is_taken_up_where_it_broke(server, cache):
    server.how.cut_after = [100_000, 50_000]
    assert fetch(server, cache).read_bytes() == server.how.content
    assert server.how.asked() == [None, "bytes=100000-", "bytes=150000-"]


def test_the_next_call_goes_on_from_what_is_kept(server, cache):
    server.how.cut_after = [100_000, 0, 0, 0]
    message = refused(server, cache, "100,000 bytes are kept: the same command goes on from there")
    assert f"put it at {cache / ZIP}" in message
    assert (cache / f"{ZIP}.part").stat().st_size == 100_000
    server.how.requests.clear()
    assert fetch(server, cache).read_bytes() == server.how.content
    assert server.how.asked() == ["bytes=100000-"]


def test_a_file_that_changed_on_the_server_is_fetched_from_the_start(server, cache):
    server.how.cut_after = [100_000, 0, 0, 0]
    refused(server, cache, "are kept")
    server.how.content, server.how.etag = archive(1), '"v2"'
    assert fetch(server, cache).read_bytes() == server.how.content


@pytest.mark.parametrize("etag", ['"v1"', None, 'W/"weak"'])
def test_a_server_without_ranges_sends_it_all_again(server, cache, etag):
    server.how.ranges, server.how.etag = False, etag
    server.how.cut_after = [100_000]
    assert fetch(server, cache).read_bytes() == server.how.content
    # Without a strong validator nobody may join two halves, so no range is asked for.
    assert server.how.asked() == [None, "bytes=100000-" if etag == '"v1"' else None]


def test_a_complete_part_needs_no_more_bytes(server, cache):
    cache.mkdir(parents=True)
    (cache / f"{ZIP}.part").write_bytes(server.how.content)
    (cache / f"{ZIP}.part.validator").write_text('"v1"')
    assert fetch(server, cache).read_bytes() == server.how.content
    assert server.how.asked() == [f"bytes={len(server.how.content)}-"]


def test_a_part_longer_than_the_file_is_thrown_away(server, cache):
    cache.mkdir(parents=True)
    (cache / f"{ZIP}.part").write_bytes(server.how.content + b"more")
    (cache / f"{ZIP}.part.validator").write_text('"v1"')
    assert fetch(server, cache).read_bytes() == server.how.content


def test_another_part_than_the_one_asked_for_is_not_joined(server, cache):
    server.how.cut_after, server.how.wrong_part = [100_000], True
    assert fetch(server, cache).read_bytes() == server.how.content
    assert server.how.asked() == [None, "bytes=100000-", None]


# --- what fails, and what is said ---------------------------------------------------------


def test_a_wrong_checksum_removes_what_arrived(server, cache):
    server.how.checksum = "0" * 32
    found = hashlib.md5(server.how.content).hexdigest()
    message = refused(server, cache, f"has the MD5 {found}, published is {'0' * 32}")
    assert "removed" in message
    assert not list(cache.glob("*.part*"))


def test_a_fixed_checksum_counts_more_than_the_one_on_the_server(server, cache):
    with pytest.raises(DownloadError, match=f"published is {RELEASES['ml-1m'].md5}"):
        download("ml-1m", cache, base_url=server.url)
    assert server.how.asked("ml-1m.zip.md5") == []
    assert not (cache / "ml-1m.zip").exists()


def test_no_checksum_no_download(server, cache):
    server.how.checksum = "<html>welcome</html>"
    refused(server, cache, "this is no published checksum")
    server.how.status = {f"{ZIP}.md5": 404}
    refused(server, cache, "no such file")
    assert server.how.asked() == []


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (404, r"no such file \(status 404\)"),
        (410, "no such file"),
        (403, r"refused \(status 403\)"),
        (429, "refused"),
        (503, r"in trouble \(status 503\); try again later"),
    ],
)
def test_every_status_is_put_into_words(server, cache, status, says):
    server.how.status[ZIP] = status
    assert server.url + ZIP in refused(server, cache, says)


def test_no_network_says_which_host_and_what_to_do(cache):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(DownloadError) as caught:
            download(NAME, cache, base_url=url, timeout=2)
    message = str(caught.value)
    assert message.startswith("127.0.0.1 cannot be reached")
    assert "is there a network?" in message
    assert f"By hand: fetch {url}{ZIP} and put it at {cache / ZIP}" in message


def test_an_unknown_host_is_named(cache):
    with pytest.raises(DownloadError, match=r"^host\.invalid cannot be reached: "):
        download("ml-1m", cache, base_url="http://host.invalid/", timeout=5)


def test_a_server_that_stalls_is_given_up(server, cache):
    server.how.stall, server.how.cut_after = True, [1_000, 0, 0, 0]
    message = refused(server, cache, "no byte came for 0.2 seconds", timeout=0.2)
    assert "1,000 bytes are kept" in message


def test_a_server_that_never_answers_is_given_up(cache):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(DownloadError, match=r"did not answer within 0\.2 seconds"):
            download("ml-1m", cache, base_url=url, timeout=0.2)


def test_a_full_disk_is_named(server, cache):
    cache.mkdir(parents=True)
    (cache / f"{ZIP}.part").symlink_to("/dev/full")
    refused(server, cache, r"\.part: the disk is full; make room")


def test_more_than_the_disk_holds_is_not_even_begun(server, cache):
    server.how.etag = '"huge"'
    handler_length = 3 << 40

    class Huge(bytes):
        def __len__(self):
            return handler_length

    server.how.content, server.how.checksum = Huge(b"x"), "0" * 32
    refused(server, cache, "announces 3,298,534,883,328 bytes")
    handler_length = os.statvfs(cache).f_bavail * os.statvfs(cache).f_frsize + (1 << 20)
    if handler_length < 4 << 30:
        refused(server, cache, "bytes free and")
    assert not list(cache.glob("*.part"))


def test_a_cache_folder_that_cannot_be_made(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match="cannot be used as cache folder"):
        download(NAME, tmp_path / "file" / "cache", base_url=server.url)


def test_two_at_a_time_do_not_write_one_file(server, cache):
    cache.mkdir(parents=True)
    with (cache / f"{ZIP}.lock").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        refused(server, cache, "another process is fetching ml-latest-small.zip")
    assert fetch(server, cache).exists()


def test_unknown_names_and_addresses():
    with pytest.raises(InvalidOptionError, match="known are: ml-latest-small, ml-100k, ml-1m"):
        download("ml-5m")
    for address in ("file:///etc/", "ftp://host/", "host", "http://", "http://[/"):
        with pytest.raises(InvalidOptionError, match="http://"):
            download(NAME, base_url=address)


# --- the table ----------------------------------------------------------------------------


def test_every_release_is_known_and_has_its_terms():
    assert set(RELEASES) == set(RELEASE_NAMES)
    assert len(RELEASES) == 7
    for release in RELEASES.values():
        assert release.md5 is None or re.fullmatch("[0-9a-f]{32}", release.md5)
        assert (release.md5 is None) == ("latest" in release.name)
        assert release.approximate_bytes > 900_000
        for words in ("research", "commercial", "Harper", "2015", "README", release.name):
            assert words in release.notice
    for name in ("ml-100k", "ml-1m"):
        assert "not to be passed on" in RELEASES[name].notice


def test_the_default_folder_is_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_cache_dir() == tmp_path / ".cache" / "projectionist"
