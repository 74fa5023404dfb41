"""A trained model on disk, and which one is current.

A models directory holds ``gen-000001/``, ``gen-000002/``, … and ``CURRENT``, a file with the
number of the one that serves. A generation is a folder of ``.npy`` arrays and ``manifest.json``,
which names every array with its shape, dtype and SHA-256. It is written beside its final name,
synced, and renamed, so it is there whole or not at all; nothing in it is ever changed. Arrays
are memory-mapped read-only: processes on one machine share their pages. There is no pickle.
"""

from recommender.generations.manifest import Manifest, read_manifest
from recommender.generations.opening import Generation, load_generation, open_users
from recommender.generations.published import (
    current_number,
    generation_numbers,
    generation_path,
    list_generations,
    publish,
    sweep_unfinished,
)
from recommender.generations.sweeping import KEEP, kept, sweep
from recommender.generations.writing import write_generation

__all__ = [
    "KEEP",
    "Generation",
    "Manifest",
    "current_number",
    "generation_numbers",
    "generation_path",
    "kept",
    "list_generations",
    "load_generation",
    "open_users",
    "publish",
    "read_manifest",
    "sweep",
    "sweep_unfinished",
    "write_generation",
]
