"""Pin the newest allowed versions of everything, with hashes and without any address.

Run as ``make lock``. Needs ``uv``, which resolves for every platform and Python at once; it is
installed into a scratch environment and not into the project's.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).parent

OPTIONS = (
    "--universal", "--python-version", "3.11", "--generate-hashes", "--upgrade", "--quiet",
    "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links",
)  # fmt: skip

SETS: dict[str, tuple[str, ...]] = {
    "run.txt": (),
    "postgres.txt": ("--extra", "postgres", "--constraint", "constraints/run.txt"),
    "tune.txt": ("--extra", "tune", "--constraint", "constraints/run.txt"),
    "dev.txt": (
        "--group", "dev", "--extra", "tune", "--extra", "postgres",
        "--constraint", "constraints/tune.txt", "--constraint", "constraints/postgres.txt",
    ),
    "bench.txt": (
        "--group", "dev", "--extra", "tune", "--extra", "postgres", "--extra", "bench",
        "--constraint", "constraints/dev.txt",
    ),
}  # fmt: skip


def main() -> None:
    """Write every set, each on the versions of the smaller one."""
    with tempfile.TemporaryDirectory() as scratch:
        venv.create(scratch, with_pip=True)
        python = Path(scratch) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", "uv"], check=True)
        for name, selection in SETS.items():
            sources = ("pyproject.toml", "constraints/build.in")
            target = ("--output-file", f"constraints/{name}")
            compile_ = [str(python), "-m", "uv", "pip", "compile"]
            command = [*compile_, *sources, *OPTIONS, *selection, *target]
            subprocess.run(command, check=True, cwd=HERE.parent)
            sys.stdout.write(f"constraints/{name}\n")


if __name__ == "__main__":
    main()
