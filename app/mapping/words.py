"""What the map says in words: how to read it, and how far to trust it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.mapping.world import World
    from recommender.projection.biplot import Plane
    from recommender.projection.fidelity import Fidelity

GOOD, FAIR = 0.8, 0.5


def how_to_read(world: World, plane: Plane) -> str:
    """Return the sentences that stand below the picture."""
    if plane.centred:
        return (
            "Pick a user: the further a movie lies along the user's arrow, the better it is "
            "predicted to suit this user; the line through the origin is the user's average "
            "movie. Movies that lie in one direction are liked by the same people. A movie near "
            "a user is not a movie that the user likes: read along the arrow."
        )
    if world.user_factors.shape[1] <= 2:
        return (
            "Pick a user: the score of a movie is how far it lies along the user's arrow, times "
            "the arrow's length (their dot product). On the line through the origin it is 0, "
            "behind it negative. Near is not the same as liked: the arrow decides."
        )
    return (
        f"Two of the model's {world.user_factors.shape[1]} factors as they were trained. Their "
        "directions are arbitrary, and the others are left out: compare the fidelity with the "
        "score plane's before reading anything into it."
    )


def describe_fidelity(fidelity: Fidelity) -> dict[str, object]:
    """Return the fidelity with its numbers and in words."""
    n, agreement = fidelity.top_n, fidelity.top_agreement
    shared = f"{agreement * n:.1f}".removesuffix(".0")
    if fidelity.share > 1 - 1e-9:
        words = "The plane shows every score exactly."
    else:
        words = f"{shared} of {n} true recommendations are also the plane's top {n}."
    return {
        "variance_kept": fidelity.share,
        "top_n": n,
        "top_agreement": agreement,
        "top_agreement_interval": list(fidelity.top_interval),
        "rank_correlation": fidelity.rank_correlation,
        "users_compared": fidelity.n_users,
        "sampled": fidelity.sampled,
        "grade": "good" if agreement >= GOOD else "fair" if agreement >= FAIR else "poor",
        "words": words,
    }
