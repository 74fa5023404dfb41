"""Records as workers leave them, made up."""

MIB = 2**20


def timed(program, solver, kind, seconds, peak=100, **others):
    """One run of the part ``epochs``; the first of the seconds is the warm-up."""
    return {
        "session": "2026-01-01T00:00:00Z",
        "part": "epochs",
        "run": 0,
        "size": "some",
        "n_ratings": 1000,
        "program": program,
        "solver": solver,
        "kind": kind,
        "factors": 8,
        "scaling": 0.0,
        "threads": 2,
        "load_average": 0.5,
        "seconds": seconds,
        "memory": {"imported": 10 * MIB, "loaded": 40 * MIB, "peak": peak * MIB},
    } | others


def followed(program, solver, kind, seconds, objectives, **others):
    """One run of the part ``objective``, whose preparation took two seconds."""
    record = timed(program, solver, kind, seconds, part="objective")
    del record["memory"]
    return (
        record
        | {
            "objectives": objectives,
            "reached": objectives[-1],
            "whole": sum(seconds) + 2.0,
        }
        | others
    )


def failed(record, error):
    """The same run, had it failed."""
    for name in ("seconds", "memory", "objectives", "reached", "whole"):
        record.pop(name, None)
    return record | {"error": error}


def session(name="2026-01-01T00:00:00Z", **others):
    return {
        "session": name,
        "machine": {"processor": "an abacus", "cores": "2", "load": "0.1", "numpy": "2.0"},
        "plan": {"runs": 3, "epochs": 5, "iterations": 15, "threads": 2},
        "ceilings": {"memory_bytes_per_second": 2e10, "multiply_adds_per_second": 1e11},
        "agreement": [
            {"program": "projectionist/cholesky", "scaling": 0.0, "objective": 2.0},
            {"program": "implicit/cg", "scaling": 0.0, "objective": 2.000002},
            {"program": "irspack/cg", "scaling": 0.0, "error": "ModuleNotFoundError: irspack"},
        ],
    } | others
