"""``make bench``: every figure that this version promises, one after the other."""

from __future__ import annotations

import subprocess
import sys

MODULES = ("latest_small", "training", "store", "first_page")


def main() -> None:
    """Run each benchmark in a process of its own, so that none inherits the other's memory."""
    failed = []
    for module in MODULES:
        print(f"\n## {module}\n", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{module}"], check=False).returncode:
            failed.append(module)
    if failed:
        sys.exit(f"these could not be measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()
