"""A client that does not wait: what the server makes others wait for counts."""

import os
import socket
import threading
import time

import numpy as np
import pytest

from benchmarks.serving import paced

OK = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nContent-Length: 2\r\n\r\nok"
CORE = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Server:
    """Answers on each connection, one after the other for all of them; ``answer`` may sleep."""

    def __init__(self, answer):
        self.answer = answer
        self.turn = threading.Lock()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            while connection.recv(1 << 16):
                with self.turn:
                    parts = self.answer()
                for part in parts:
                    connection.sendall(part)

    def __enter__(self):
        return self.port

    def __exit__(self, *error):
        self.listening.close()


pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity"), reason="no thread can be kept to a core here"
)


def test_every_request_is_asked_and_timed():
    due = paced.moments(500, 0.4)
    with Server(lambda: [OK]) as port:
        found = paced.ask(port, [REQUEST], due, 4, CORE)
    assert len(found.milliseconds) == len(due) == 200
    assert found.percentile(50) < 50
    assert found.answered <= found.asked * 1.01


def test_an_answer_in_pieces_is_one_answer():
    with Server(lambda: [OK[:10], OK[10:50], OK[50:]]) as port:
        found = paced.ask(port, [REQUEST], paced.moments(100, 0.1), 2, CORE)
    assert len(found.milliseconds) == 10


@pytest.mark.parametrize("connections", [1, 8])
def test_who_had_to_wait_behind_a_slow_answer_waited(connections):
    """One answer takes 0.3 s, and all that were due meanwhile are late with it."""
    calls = iter(range(10_000))

    def stalls_once():
        if next(calls) == 20:
            time.sleep(0.3)
        return [OK]

    due = np.arange(100) * 0.005
    with Server(stalls_once) as port:
        found = paced.ask(port, [REQUEST], due, connections, CORE)
    # Due at most 0.15 s after the stall began: 30 requests that waited for 0.15 s or more.
    assert np.sum(found.milliseconds >= 150) >= 25
    assert found.milliseconds.max() >= 290


def test_moments_are_those_of_a_poisson_process():
    due = paced.moments(1_000, 20, seed=5)
    gaps = np.diff(due, prepend=0)
    assert len(due) == 20_000
    assert abs(gaps.mean() - 0.001) < 0.00003
    assert abs(gaps.std() - 0.001) < 0.00005  # the gaps of a steady beat would not spread
    assert (due == paced.moments(1_000, 20, seed=5)).all()
    assert (due != paced.moments(1_000, 20, seed=6)).any()


def test_the_length_of_an_answer():
    assert paced.answer_length(OK) == len(OK)
    assert paced.answer_length(OK[:40]) == 0
    for answer, error in [
        (OK.replace(b"200 OK", b"503 No"), "503 no"),
        (OK.replace(b"Content-Length: 2\r\n", b""), "does not say how long it is"),
    ]:
        with pytest.raises(SystemExit, match=error):
            paced.answer_length(answer)


def test_a_server_that_hangs_up_is_no_measurement():
    with socket.create_server(("127.0.0.1", 0)) as hanging_up:
        threading.Thread(target=lambda: hanging_up.accept()[0].close(), daemon=True).start()
        with pytest.raises(SystemExit, match="closed a connection"):
            paced.ask(hanging_up.getsockname()[1], [REQUEST], np.array([0.05]), 1, CORE)
