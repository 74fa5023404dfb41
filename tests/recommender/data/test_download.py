"""Downloads from a real HTTP server on this machine, and going on where one stopped."""

from __future__ import annotations

import hashlib
import re

import pytest

from recommender.data.dataset import read_dataset
from recommender.data.download import default_cache_dir, download
from recommender.data.movielens_releases import RELEASE_NAMES, RELEASES
from recommender.errors import DownloadError

NAME = "ml-latest-small"
ZIP = f"{NAME}.zip"


# --- what works ---------------------------------------------------------------------------


def test_an_archive_is_fetched_verified_and_readable(server, cache, fetch):
    steps = []
    path = fetch(progress=lambda done, total: steps.append((done, total)))
    assert path == cache / ZIP
    assert path.read_bytes() == server.how.content
    assert read_dataset(path).movies["title"].to_list() == ["Film 0"]
    size = len(server.how.content)
    assert steps[0] == (0, size)
    assert steps[-1] == (size, size)
    assert [done for done, _ in steps] == sorted({done for done, _ in steps})
    assert not list(cache.glob("*.part*"))


def test_the_cached_file_is_verified_and_used_again(server, fetch):
    fetch()
    server.how.requests.clear()
    steps = []
    path = fetch(progress=lambda done, total: steps.append((done, total)))
    assert path.exists()
    assert server.how.requests == []
    assert steps == [(path.stat().st_size, path.stat().st_size)]


def test_a_cached_file_that_was_altered_is_fetched_again(server, fetch):
    path = fetch()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert fetch().read_bytes() == server.how.content


def test_a_file_put_there_by_hand_is_used_when_it_is_whole(server, cache, fetch):
    cache.mkdir(parents=True)
    (cache / ZIP).write_bytes(server.how.content)
    assert fetch() == cache / ZIP
    assert server.how.requests == []
    flipped = bytearray(server.how.content)
    flipped[len(flipped) // 2] ^= 1
    for damaged in (server.how.content[:-50], flipped):
        (cache / ZIP).write_bytes(damaged)
        (cache / f"{ZIP}.md5").unlink(missing_ok=True)
        assert fetch().read_bytes() == server.how.content


def test_a_file_put_there_by_hand_must_have_the_known_checksum(server, cache):
    cache.mkdir(parents=True)
    (cache / "ml-1m.zip").write_bytes(server.how.content)
    server.how.status["ml-1m.zip"] = 404
    with pytest.raises(DownloadError) as caught:
        download("ml-1m", cache, base_url=server.url)
    assert RELEASES["ml-1m"].md5 in str(caught.value)
    # It is the user's file: it stays until a better one replaces it.
    assert (cache / "ml-1m.zip").read_bytes() == server.how.content


def test_a_server_that_announces_no_length(server, fetch):
    server.how.announce_length = False
    steps = []
    fetch(progress=lambda done, total: steps.append((done, total)))
    assert steps[-1] == (len(server.how.content), None)


def test_redirects_are_followed(server, fetch):
    server.how.redirect = server.url + "moved-"
    assert fetch().read_bytes() == server.how.content
    assert len(server.how.asked(f"moved-{ZIP}")) == 1


def test_the_other_way_to_write_a_checksum(server, fetch):
    server.how.checksum = f"{hashlib.md5(server.how.content).hexdigest().upper()} *{ZIP}\n"
    assert fetch().exists()


# --- going on where it stopped ------------------------------------------------------------


def test_a_cut_connection_is_taken_up_where_it_broke(server, fetch):
    server.how.cut_after = [100_000, 50_000]
    assert fetch().read_bytes() == server.how.content
    assert server.how.asked() == [None, "bytes=100000-", "bytes=150000-"]


def test_the_next_call_goes_on_from_what_is_kept(server, cache, fetch, refused):
    server.how.cut_after = [100_000, 0, 0, 0]
    message = refused("100,000 bytes are kept: the same command goes on from there")
    assert f"put it at {cache / ZIP}" in message
    assert (cache / f"{ZIP}.part").stat().st_size == 100_000
    server.how.requests.clear()
    assert fetch().read_bytes() == server.how.content
    assert server.how.asked() == ["bytes=100000-"]


def test_a_file_that_changed_on_the_server_is_fetched_from_the_start(
    server, fetch, refused, new_archive
):
    server.how.cut_after = [100_000, 0, 0, 0]
    refused("are kept")
    server.how.content, server.how.etag = new_archive(1), '"v2"'
    assert fetch().read_bytes() == server.how.content


@pytest.mark.parametrize("etag", ['"v1"', None, 'W/"weak"'])
def test_a_server_without_ranges_sends_it_all_again(server, etag, fetch):
    server.how.ranges, server.how.etag = False, etag
    server.how.cut_after = [100_000]
    assert fetch().read_bytes() == server.how.content
    # Without a strong validator nobody may join two halves, so no range is asked for.
    assert server.how.asked() == [None, "bytes=100000-" if etag == '"v1"' else None]


def test_a_complete_part_needs_no_more_bytes(server, cache, fetch):
    cache.mkdir(parents=True)
    (cache / f"{ZIP}.part").write_bytes(server.how.content)
    (cache / f"{ZIP}.part.validator").write_text('"v1"')
    assert fetch().read_bytes() == server.how.content
    assert server.how.asked() == [f"bytes={len(server.how.content)}-"]


def test_a_part_longer_than_the_file_is_thrown_away(server, cache, fetch):
    cache.mkdir(parents=True)
    (cache / f"{ZIP}.part").write_bytes(server.how.content + b"more")
    (cache / f"{ZIP}.part.validator").write_text('"v1"')
    assert fetch().read_bytes() == server.how.content


def test_another_part_than_the_one_asked_for_is_not_joined(server, fetch):
    server.how.cut_after, server.how.wrong_part = [100_000], True
    assert fetch().read_bytes() == server.how.content
    assert server.how.asked() == [None, "bytes=100000-", None]


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
