"""The installed command while it is still reading its modules."""

import signal
import subprocess
import sys
import time

import pytest


@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.6])
def test_an_interruption_during_imports_leaves_no_traceback(seconds):
    command = [sys.executable, "-m", "app.entry", "evaluate"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert "Traceback" not in told or seconds < 0.2  # Python itself has not begun so soon
    assert process.returncode in (-signal.SIGINT, 130, 2)  # 2: it was quick, and misses options


def test_it_hands_over():
    done = subprocess.run(
        [sys.executable, "-m", "app.entry", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("projectionist ")
