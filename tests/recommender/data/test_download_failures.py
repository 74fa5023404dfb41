"""Downloads that must fail: what is said, and what is left behind."""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket

import pytest

from recommender.data.download import download
from recommender.data.movielens_releases import RELEASES
from recommender.errors import DownloadError, InvalidOptionError

NAME = "ml-latest-small"
ZIP = f"{NAME}.zip"


def test_a_wrong_checksum_removes_what_arrived(server, cache, refused):
    server.how.checksum = "0" * 32
    found = hashlib.md5(server.how.content).hexdigest()
    message = refused(f"has the MD5 {found}, published is {'0' * 32}")
    assert "removed" in message
    assert not list(cache.glob("*.part*"))


def test_a_fixed_checksum_counts_more_than_the_one_on_the_server(server, cache):
    with pytest.raises(DownloadError, match=f"published is {RELEASES['ml-1m'].md5}"):
        download("ml-1m", cache, base_url=server.url)
    assert server.how.asked("ml-1m.zip.md5") == []
    assert not (cache / "ml-1m.zip").exists()


def test_no_checksum_no_download(server, refused):
    server.how.checksum = "<html>welcome</html>"
    refused("this is no published checksum")
    server.how.status = {f"{ZIP}.md5": 404}
    refused("no such file")
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
def test_every_status_is_put_into_words(server, status, says, refused):
    server.how.status[ZIP] = status
    assert server.url + ZIP in refused(says)


def test_no_network_says_which_host_and_what_to_do(cache):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(DownloadError) as caught:
            download(NAME, cache, base_url=url, timeout=2)
    message = str(caught.value)
    assert message.startswith("127.0.0.1 cannot be reached")
    assert "there may be no network" in message
    assert f"By hand: fetch {url}{ZIP} and put it at {cache / ZIP}" in message


def test_an_unknown_host_is_named(cache):
    with pytest.raises(DownloadError, match=r"^host\.invalid cannot be reached: "):
        download("ml-1m", cache, base_url="http://host.invalid/", timeout=5)


def test_a_server_that_stalls_is_given_up(server, refused):
    server.how.stall, server.how.cut_after = True, [1_000, 0, 0, 0]
    message = refused("no byte came for 0.2 seconds", timeout=0.2)
    assert "1,000 bytes are kept" in message


def test_a_server_that_never_answers_is_given_up(cache):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(DownloadError, match=r"did not answer within 0\.2 seconds"):
            download("ml-1m", cache, base_url=url, timeout=0.2)


def test_a_full_disk_is_named(cache, refused):
    cache.mkdir(parents=True)
    (cache / f"{ZIP}.part").symlink_to("/dev/full")
    refused(r"\.part: the disk is full; make room")


def test_more_than_the_disk_holds_is_not_even_begun(server, cache, refused):
    server.how.etag = '"huge"'
    handler_length = 3 << 40

    class Huge(bytes):
        def __len__(self):
            return handler_length

    server.how.content, server.how.checksum = Huge(b"x"), "0" * 32
    refused("announces 3,298,534,883,328 bytes")
    handler_length = os.statvfs(cache).f_bavail * os.statvfs(cache).f_frsize + (1 << 20)
    if handler_length < 4 << 30:
        refused("bytes free and")
    assert not list(cache.glob("*.part"))


def test_a_cache_folder_that_cannot_be_made(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match="cannot be used as cache folder"):
        download(NAME, tmp_path / "file" / "cache", base_url=server.url)


def test_two_at_a_time_do_not_write_one_file(cache, fetch, refused):
    cache.mkdir(parents=True)
    with (cache / f"{ZIP}.lock").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        refused("another process is fetching ml-latest-small.zip")
    assert fetch().exists()


def test_unknown_names_and_addresses():
    with pytest.raises(InvalidOptionError, match="known are: ml-latest-small, ml-100k, ml-1m"):
        download("ml-5m")
    for address in ("file:///etc/", "ftp://host/", "host", "http://", "http://[/"):
        with pytest.raises(InvalidOptionError, match="http://"):
            download(NAME, base_url=address)
