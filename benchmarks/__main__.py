"""``make bench``: every figure that this version promises, one after the other, in small.

``python -m benchmarks training store`` runs some of them. Each has options of its own: see
``python -m benchmarks.training --help``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

BENCHMARKS: dict[str, tuple[str, ...]] = {
    "latest_small": (),
    "star_prediction": ("--like", "ml-100k"),
    "training": ("--sizes", "ml-1m", "--part", "epochs", "--runs", "1", "--epochs", "3"),
    "serving": ("--like", "ml-1m", "--runs", "2", "--seconds", "3"),
    "training_beside_serving": ("--like", "ml-100k", "--seconds", "5", "--rate", "200"),
    "store": (),
    "first_page": (),
}
"""Each benchmark, and what makes it short."""


def main() -> None:
    """Run each benchmark in a process of its own, so that none inherits the other's memory."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"all when none is named: {', '.join(BENCHMARKS)}")
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    failed = []
    for name in names:
        print(f"\n## {name}\n", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *BENCHMARKS[name]]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"these could not be measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()
