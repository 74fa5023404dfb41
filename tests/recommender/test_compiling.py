"""Compiled loops, wherever they are installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import recommender
from recommender.compiling import kernel


def test_a_kernel_without_a_place_for_its_machine_code_works_all_the_same():
    scope = {}
    exec("def double(x):\n    return 2 * x", scope)  # from no file, so beside none
    assert kernel(scope["double"])(21) == 42


def test_two_processes_never_write_machine_code_under_one_name(tmp_path):
    code = "from recommender.counting import count; print(count._cache._cache_file._data_name(1))"
    names = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
        for _ in range(2)
    }
    assert len(names) == 2
    assert all(name.strip().endswith(b".nbc") for name in names)


def test_machine_code_is_made_anew_when_a_called_function_of_another_file_changed(tmp_path):
    """Same size, same time: what an upgrade by an installer looks like."""
    package = tmp_path / "recommender"
    source = Path(recommender.__file__).parent
    shutil.copytree(source, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "__init__.py").write_text("")
    called, caller = package / "called.py", package / "caller.py"
    head = "from recommender.compiling import kernel\n"
    caller.write_text(
        f"{head}from recommender.called import number\n\n@kernel\ndef twice():\n"
        "    return 2 * number()\n"
    )

    def run():
        code = (
            "from recommender.caller import twice; "
            "print(twice(), sum(twice.stats.cache_hits.values()))"
        )
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.split()

    def write(number):
        called.write_text(f"{head}\n@kernel\ndef number():\n    return {number}\n")
        for path in (called, caller):
            os.utime(path, (1_000_000_000, 1_000_000_000))

    write(3)
    assert run() == ["6", "0"]
    assert run() == ["6", "1"]  # kept, as long as nothing changes
    write(4)
    assert run()[0] == "8"
