"""What the tests of the readers share: written files, and a server that misbehaves on demand."""

from __future__ import annotations

import hashlib
import io
import re
import socket
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from recommender.data.download import download
from recommender.errors import DownloadError, FileFormatError

NAME = "ml-latest-small"
ZIP = f"{NAME}.zip"


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a file and returns its path."""

    def write_file(content, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


@pytest.fixture
def refusal():
    """Return a function: what a reader says of a bad file, after checking where it says it is."""

    def refuse(reader, path, line=None, **options):
        with pytest.raises(FileFormatError) as caught:
            reader(path, **options)
        assert caught.value.line == line
        assert caught.value.path == path
        return caught.value.reason

    return refuse


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


@pytest.fixture
def new_archive():
    """Return the function that makes an archive."""
    return archive


@pytest.fixture
def fetch(server, cache):
    """Return a function that downloads from the server into the cache."""

    def fetch_it(name=NAME, **options):
        return download(name, cache, base_url=server.url, **{"timeout": 5.0, **options})

    return fetch_it


@pytest.fixture
def refused(fetch, cache):
    """Return a function that downloads in vain and returns what is said."""

    def refuse(says, **options):
        with pytest.raises(DownloadError, match=says) as caught:
            fetch(**options)
        assert not (cache / ZIP).exists()
        return str(caught.value)

    return refuse
