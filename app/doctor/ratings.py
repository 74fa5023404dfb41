"""Checks of the ratings: whether they say anything, and on the scale that was set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from app.doctor.findings import Finding, counted, examples, percent, share
from app.doctor.patient import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.doctor.patient import Patient

FEW_USERS, FEW_RATINGS = 20, 500
USER_SHARE, MOVIE_SHARE = 0.1, 0.2
"""Which part of all ratings is too much for one."""
TO_CHOOSE_FROM = 10
"""So many movies should be left that a user has not rated: one list."""
FINISHED_SHARE = 0.05


def amount(patient: Patient) -> Iterator[Finding]:
    """Look whether there is enough to learn from."""
    frame = patient.snapshot.ratings
    users = frame["user"].n_unique() if len(frame) else 0
    figures = {"ratings": len(frame), "users": users}
    told = f"{counted(len(frame), 'rating')} by {counted(users, 'user')}."
    if not len(frame):
        yield Finding(
            "error",
            "There are no ratings.",
            "There is nothing to learn from; everybody gets what is popular.",
            "Import some: `projectionist import FOLDER`.",
            figures,
        )
    elif len(frame) < FEW_RATINGS or users < FEW_USERS:
        yield Finding(
            "warning",
            told,
            "With so few, lists are hardly better than what is popular.",
            "Collect more ratings, or begin with a public data set of films that your users know: "
            "`projectionist download ml-latest-small`.",
            figures,
        )
    else:
        yield Finding("ok", told, "", "", figures)


def variety(patient: Patient) -> Iterator[Finding]:
    """Look whether all ratings are the same."""
    values = patient.ratings["rating"].unique().sort().to_list()
    if len(values) > 1:
        yield Finding("ok", f"{len(values)} different ratings, {values[0]:g} to {values[-1]:g}.")
        return
    yield Finding(
        "warning",
        f"All {counted(len(patient.ratings), 'rating')} are {values[0]:g}.",
        "Movies are ranked by who rated what, and stars that never differ predict nothing.",
        "If these are views or clicks, ignore predicted_rating. If they were meant to be stars, "
        "look at the column that was imported.",
        {"value": values[0]},
    )


def scale(patient: Patient) -> Iterator[Finding]:
    """Compare the ratings with the scale that is set."""
    wanted = patient.settings.scale
    values = patient.ratings["rating"]
    lowest, highest = float(values.min()), float(values.max())  # type: ignore[arg-type]
    outside = int(((values < wanted.minimum) | (values > wanted.maximum)).sum())
    figures = {"lowest": lowest, "highest": highest, "outside": outside}
    do = (
        "Set PROJECTIONIST_RATING_MINIMUM, _MAXIMUM and _STEP to the scale of the data "
        f"(found: {lowest:g} to {highest:g}), or import ratings of the scale that is set."
    )
    if outside:
        yield Finding(
            "warning",
            f"{outside:,} of {counted(len(values), 'rating')} ({percent(outside, len(values))}) "
            f"lie outside of the scale {wanted.minimum:g} to {wanted.maximum:g}.",
            "Predicted stars are clipped to the scale, and clients cannot give such a rating.",
            do,
            figures,
        )
    elif highest <= 1 < wanted.maximum:
        yield Finding(
            "warning",
            f"No rating is above {highest:g}, on a scale up to {wanted.maximum:g}.",
            "Likes and shares of one that are taken for stars are all very bad stars: new "
            "ratings by the scale will look like praise beside them.",
            do,
            figures,
        )
    else:
        yield Finding("ok", f"All ratings are between {lowest:g} and {highest:g}.", "", "", figures)


def shares(patient: Patient) -> Iterator[Finding]:
    """Look for a user or a movie with an absurd share of the ratings."""
    total = len(patient.ratings)
    movies = sorted(patient.by_movie.items(), key=lambda one: (-one[1], one[0]))
    user, most = patient.by_user.row(0)
    fine = True
    for what, name, count, limit, among in (
        ("user", user, most, USER_SHARE, len(patient.by_user)),
        ("movie", movies[0][0], movies[0][1], MOVIE_SHARE, len(movies)),
    ):
        # Of few, each has much.
        if share(count, total) > max(limit, 3 / among):
            fine = False
            yield Finding(
                "warning",
                f"The {what} {name!r} has {count:,} of {counted(total, 'rating')} "
                f"({percent(count, total)}).",
                "The model learns the taste of a machine, or of a test account."
                if what == "user"
                else "It is the best guess for everybody, and tells nobody from another.",
                "Look where these ratings come from; erase a test account with "
                "DELETE /v1/users/{user_id}."
                if what == "user"
                else "Look whether one id stands for what has no id (such as 0, or 'unknown').",
                {what: name, "ratings": count, "total": total},
            )
    if fine:
        of_one = percent(movies[0][1], total)
        yield Finding("ok", f"At most {percent(most, total)} by one user, {of_one} of one movie.")


def everything_seen(patient: Patient) -> Iterator[Finding]:
    """Count users who have rated nearly all that could be recommended to them."""
    left = len(patient.available)
    if not left:
        raise Unknown
    seen = (
        patient.ratings.filter(pl.col("item").is_in(list(patient.available)))
        .group_by("user")
        .len()
        .filter(pl.col("len") > left - TO_CHOOSE_FROM)
        .sort("len", "user", descending=[True, False])
    )
    users = len(patient.by_user)
    figures = {"finished": len(seen), "users": users, "available": left}
    told = (
        f"{len(seen):,} of {counted(users, 'user')} ({percent(len(seen), users)}) have fewer than "
        f"{TO_CHOOSE_FROM} of {counted(left, 'available movie')} left to rate"
    )
    if not len(seen):
        yield Finding("ok", f"{told}.", "", "", figures)
        return
    yield Finding(
        "warning" if share(len(seen), users) > FINISHED_SHARE else "note",
        f"{told}, such as {examples(seen['user'].to_list())}.",
        "What was rated is not recommended again: their lists are short, or empty.",
        "Add movies, or ask with exclude_seen=false where a film may be seen twice.",
        figures,
    )
