"""Whether the server in this container answers: exit status 0 or 1, for ``HEALTHCHECK``."""

import http.client
import os
import sys

SECONDS = 4


def main() -> int:
    """Ask ``/livez`` on the address that the server listens on; never through a proxy."""
    host = os.environ.get("PROJECTIONIST_HOST", "")
    port = os.environ.get("PROJECTIONIST_PORT") or "8000"
    target = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    # A server told which names it goes by answers to no other.
    names = [name.strip() for name in os.environ.get("PROJECTIONIST_ALLOWED_HOSTS", "").split(",")]
    headers = {"Host": names[0]} if names[0] else {}
    connection = http.client.HTTPConnection(target, int(port), timeout=SECONDS)
    try:
        connection.request("GET", "/livez", headers=headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"no answer from {target} port {port}: {error}\n")
        return 1
    finally:
        connection.close()
    if status != 200:
        sys.stderr.write(f"/livez answered {status}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
