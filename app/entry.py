"""What the installed command starts: it reads all other modules, and hands over.

That takes a second, in which nothing has begun that an interruption could spoil. Ctrl+C then ends
the process as it ends any other; left to Python it would come out of some library as a traceback,
or be swallowed there.
"""

from __future__ import annotations

import signal


def main() -> None:
    """Run the command."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from app.cli import main as run

    signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


if __name__ == "__main__":
    main()
