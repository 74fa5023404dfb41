"""How every store serves many threads, and how it ends. Inherited by ``StoreContract``."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait

import polars as pl
import pytest

from app.store import Counts, Movie, MovieNotFound, StoreClosed, StoreUnavailable


class StoreThreadContract:
    """Many writes and reads at once; closing."""

    def test_one_failing_write_does_not_fail_its_neighbours(self, store):
        put_movies(store, "1")
        futures = [
            store.put_rating(f"u{i}", "none" if i % 3 == 0 else "1", 3, i) for i in range(300)
        ]
        wait(futures)
        for i, future in enumerate(futures):
            if i % 3 == 0:
                assert isinstance(future.exception(), MovieNotFound)
            else:
                assert future.result().user_id == f"u{i}"
        assert sorted(f.result().version for f in futures if not f.exception()) == list(
            range(1, 201)
        )
        assert store.counts() == Counts(users=200, movies=1, ratings=200)

    def test_writes_of_many_threads_share_commits(self, store):
        put_movies(store, *"123456789")
        before = store.writer_state()

        def rate(user):
            return [store.put_rating(f"u{user}", movie, 3, 0).result() for movie in "123456789"]

        with ThreadPoolExecutor(64) as threads:
            records = [record for each in threads.map(rate, range(64)) for record in each]
        assert sorted(record.version for record in records) == list(range(1, 64 * 9 + 1))
        assert store.rating_count() == 64 * 9
        after = store.writer_state()
        assert after.operations - before.operations == 64 * 9
        assert after.commits - before.commits < 64 * 9 / 4
        assert (after.queued, after.problem) == (0, None)

    def test_reads_go_on_while_others_write_and_see_whole_states(self, store):
        put_movies(store, *(str(i) for i in range(400)))
        done = threading.Event()
        wrong = []

        def read():
            newest = 0
            while not done.is_set():
                snapshot = store.snapshot()
                # Only new ratings are written here, so that each version is one row.
                if snapshot.ratings.height != snapshot.watermark or snapshot.watermark < newest:
                    wrong.append((snapshot.watermark, snapshot.ratings.height))
                newest = snapshot.watermark
                if store.counts().ratings < newest or store.version() < newest:
                    wrong.append(newest)

        readers = [threading.Thread(target=read) for _ in range(4)]
        for reader in readers:
            reader.start()
        for i in range(400):
            store.put_rating("u", str(i), 3, 0).result()
        done.set()
        for reader in readers:
            reader.join()
        assert wrong == []
        assert store.snapshot().watermark == 400

    # ----- the end -----

    def test_closing_finishes_what_waits(self, store, reopen):
        put_movies(store, "1")
        futures = [store.put_rating(f"u{i}", "1", 3, 0) for i in range(500)]
        store.close()
        assert all(future.done() for future in futures)
        with reopen() as again:
            assert again.rating_count() == 500

    def test_a_closed_store_says_so(self, store):
        store.close()
        store.close()
        for read in (store.ping, store.counts, store.snapshot, store.all_movies):
            with pytest.raises(StoreClosed):
                read()
        with pytest.raises(StoreUnavailable):
            store.put_movie(Movie("1", "t")).result()
        with pytest.raises(StoreClosed):
            store.import_dataset(pl.DataFrame({"user": ["u"], "item": ["1"], "rating": [3.0]}))


def put_movies(store, *ids):
    """Store movies of these ids, and wait until they are there."""
    wait([store.put_movie(Movie(movie_id, f"Movie {movie_id}")) for movie_id in ids])
