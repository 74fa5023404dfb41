"""The few operations on whole vectors that all solvers are made of.

Kernels call them like ordinary functions; Numba puts their instructions in place. Matrices are
C-contiguous float32, and columns are walked over from ``first`` to ``last``, both multiples of
``LANES`` (see :func:`padded`). Rows are taken eight at a time, by number: ``rows[at : at + 8]``.
Nothing is checked: the callers are the solvers of this folder alone.

| argument | shape and dtype |
|---|---|
| ``X``, ``T``, ``tile`` | (any, k) float32, k a multiple of ``LANES`` |
| ``A``, ``U``, ``Z`` | float32, whole blocks of ``LANES`` × ``LANES`` |
| ``p``, ``q``, ``y`` | (k,) float32 |
| ``rows`` | int32, readable up to ``at + 8`` and ``ahead + 8`` |
| ``scale``, ``target``, ``left``, ``c``, ``out`` | float32, readable up to ``at + 8`` |
| ``at``, ``first``, ``i``, ``j``, ``e``, ``n`` | int64 places and counts |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import extending, types

from recommender.solvers.instructions import (
    EIGHT,
    GROUP,
    LANES,
    ZERO,
    Writer,
    lanes,
    number,
    padded,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["GROUP", "LANES", "padded"]

intrinsic: Any = extending.intrinsic
Place = types.int64


def _returns_nothing(write: Callable[[Writer], None], *kinds: Any) -> Any:
    """Tell Numba the types, and how the instructions are written."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        write(Writer(context, builder, signature, arguments))
        return context.get_dummy_value()

    return types.void(*kinds), lower


# Eight rows and a vector --------------------------------------------------------------------


def _dots(w: Writer, begins: list[Any], first: Any, last: Any, p: Any) -> Any:
    """Write the dot products of eight rows and one vector."""

    def body(i: ir.Value, sums: Any) -> Any:
        part = w.load(w.move(p, i))
        return [
            w.multiply_add(w.load(w.move(begin, i)), part, s)
            for begin, s in zip(begins, sums, strict=True)
        ]

    return w.sums(w.loop(first, last, LANES, [ZERO] * GROUP, body))


def _add_rows(w: Writer, begins: list[Any], first: Any, last: Any, c: Any, q: Any) -> None:
    """Write the sum of eight rows, each with its factor, and of what is there."""
    factors = [w.lane(c, m) for m in range(GROUP)]

    def body(i: ir.Value, _: Any) -> Any:
        # Two sums, so that half as many additions wait for each other.
        sums = [w.load(w.move(q, i)), ZERO]
        for m, (begin, factor) in enumerate(zip(begins, factors, strict=True)):
            sums[m % 2] = w.multiply_add(w.load(w.move(begin, i)), factor, sums[m % 2])
        w.store(w.b.fadd(*sums), w.move(q, i))
        return []

    w.loop(first, last, LANES, [], body)


@intrinsic
def dots(context, X, rows, at, first, last, p, out):
    """``out[at + m] = X[rows[at + m]] · p`` over the columns, for eight m."""

    def write(w: Writer) -> None:
        _, _, at, first, last, _, _ = w.arguments
        begins = w.eight_rows(matrix=0, rows=1, at=at)
        w.store(_dots(w, begins, first, last, w.at(5, number(0))), w.at(6, at))

    return _returns_nothing(write, X, rows, Place, Place, Place, p, out)


@intrinsic
def add_rows(context, X, rows, at, first, last, c, q):
    """``q += Σ_m c[at + m] X[rows[at + m]]`` over the columns, for eight m."""

    def write(w: Writer) -> None:
        _, _, at, first, last, _, _ = w.arguments
        begins = w.eight_rows(matrix=0, rows=1, at=at)
        _add_rows(w, begins, first, last, w.load(w.at(5, at), EIGHT), w.at(6, number(0)))

    return _returns_nothing(write, X, rows, Place, Place, Place, c, q)


@intrinsic
def add_projections(context, X, rows, at, first, last, c, p, q):
    """``q += Σ_m c[at + m] (x_m · p) x_m`` with x_m = X[rows[at + m]], for eight m."""

    def write(w: Writer) -> None:
        _, _, at, first, last, _, _, _ = w.arguments
        begins = w.eight_rows(matrix=0, rows=1, at=at)
        found = _dots(w, begins, first, last, w.at(6, number(0)))
        weighted = w.b.fmul(w.load(w.at(5, at), EIGHT), found)
        _add_rows(w, begins, first, last, weighted, w.at(7, number(0)))

    return _returns_nothing(write, X, rows, Place, Place, Place, c, p, q)


@intrinsic
def add_residuals(context, X, rows, at, first, last, scale, target, y, left, q):
    """``left[at + m] = target - scale · X[rows] · y`` and ``q += Σ_m scale · left · X[rows]``."""

    def write(w: Writer) -> None:
        _, _, at, first, last, _, _, _, _, _ = w.arguments
        begins = w.eight_rows(matrix=0, rows=1, at=at)
        found = _dots(w, begins, first, last, w.at(7, number(0)))
        scale = w.load(w.at(5, at), EIGHT)
        left = w.b.fsub(w.load(w.at(6, at), EIGHT), w.b.fmul(scale, found))
        w.store(left, w.at(8, at))
        _add_rows(w, begins, first, last, w.b.fmul(scale, left), w.at(9, number(0)))

    return _returns_nothing(write, X, rows, Place, Place, Place, scale, target, y, left, q)


@intrinsic
def gather_residuals(context, X, rows, at, ahead, first, last, scale, target, tile, y, left, q):
    """:func:`gather` to ``tile[at + m]``, then :func:`add_residuals` of what was gathered.

    In one pass the arithmetic of eight rows covers the wait for the next eight.
    """

    def write(w: Writer) -> None:
        _, _, at, ahead, first, last, _, _, _, _, _, _ = w.arguments
        begins = w.eight_rows(matrix=0, rows=1, at=at)
        coming = w.eight_rows(matrix=0, rows=1, at=ahead)
        b = w.b
        outs = [w.at(8, b.add(at, number(m)), number(0)) for m in range(GROUP)]
        scale = w.load(w.at(6, at), EIGHT)
        scales = [w.lane(scale, m) for m in range(GROUP)]
        y = w.at(9, number(0))

        def body(i: ir.Value, sums: Any) -> Any:
            part = w.load(w.move(y, i))
            renewed = []
            for m in range(GROUP):
                w.prefetch(w.move(coming[m], i))
                x = b.fmul(w.load(w.move(begins[m], i)), scales[m])
                w.store(x, w.move(outs[m], i))
                renewed.append(w.multiply_add(x, part, sums[m]))
            return renewed

        found = w.sums(w.loop(first, last, LANES, [ZERO] * GROUP, body))
        left = b.fsub(w.load(w.at(7, at), EIGHT), found)
        w.store(left, w.at(10, at))
        _add_rows(w, outs, first, last, left, w.at(11, number(0)))

    return _returns_nothing(
        write, X, rows, Place, Place, Place, Place, scale, target, tile, y, left, q
    )


@intrinsic
def gather(context, X, rows, at, ahead, first, last, scale, tile, to):
    """``tile[to + m] = scale[at + m] X[rows[at + m]]`` over the columns, for eight m.

    Meanwhile the rows of ``ahead`` are fetched towards the processor.
    """

    def write(w: Writer) -> None:
        _, _, at, ahead, first, last, _, _, to = w.arguments
        begins = w.eight_rows(matrix=0, rows=1, at=at)
        coming = w.eight_rows(matrix=0, rows=1, at=ahead)
        b = w.b
        outs = [w.at(7, b.add(to, number(m)), number(0)) for m in range(GROUP)]
        scales = [w.spread(b.load(w.at(6, b.add(at, number(m))))) for m in range(GROUP)]

        def body(i: ir.Value, _: Any) -> Any:
            for begin, soon, out, scale in zip(begins, coming, outs, scales, strict=True):
                w.prefetch(w.move(soon, i))
                w.store(b.fmul(w.load(w.move(begin, i)), scale), w.move(out, i))
            return []

        w.loop(first, last, LANES, [], body)

    return _returns_nothing(write, X, rows, Place, Place, Place, Place, scale, tile, Place)


@intrinsic
def fetch(context, X, rows, at, first, last):
    """Ask for eight rows that will be gathered soon; they come while something else is done."""

    def write(w: Writer) -> None:
        _, _, at, first, last = w.arguments
        begins = w.eight_rows(matrix=0, rows=1, at=at)

        def body(i: ir.Value, _: Any) -> Any:
            for begin in begins:
                w.prefetch(w.move(begin, i), near=2)
            return []

        w.loop(first, last, LANES, [], body)

    return _returns_nothing(write, X, rows, Place, Place, Place)


@intrinsic
def transpose_block(context, T, e, i, scale, Z):
    """``Z[i-block, e-block] = (T[e-block, i-block] · scale[i-block])ᵀ``."""

    def write(w: Writer) -> None:
        _, e, i, _, _ = w.arguments
        b = w.b
        factor = w.load(w.at(3, i))
        rows = [b.fmul(w.load(w.at(0, b.add(e, number(r)), i)), factor) for r in range(LANES)]
        step = 1
        while step < LANES:  # swap off-diagonal squares of 1, 2, 4, … in pairs of rows
            upper = [lane if not lane & step else LANES + lane - step for lane in range(LANES)]
            lower = [lane + step if not lane & step else LANES + lane for lane in range(LANES)]
            for r in range(LANES):
                if not r & step:
                    pair = rows[r], rows[r + step]
                    rows[r] = b.shuffle_vector(*pair, lanes(upper))
                    rows[r + step] = b.shuffle_vector(*pair, lanes(lower))
            step *= 2
        for r, row in enumerate(rows):
            w.store(row, w.at(4, b.add(i, number(r)), e))

    return _returns_nothing(write, T, Place, Place, scale, Z)


# Blocks of a symmetric matrix: LANES rows of LANES columns, kept in registers ---------------


def _products(w: Writer, A: int, i: Any, j: Any, T: int, first: Any, last: Any, sign: int) -> None:
    """Write ``A[i-block, j-block] ± Σ_e T[e, i-block]ᵀ T[e, j-block]``."""
    block = [w.at(A, w.b.add(i, number(r)), j) for r in range(LANES)]

    def body(e: ir.Value, sums: Any) -> Any:
        left, right = w.at(T, e, i), w.load(w.at(T, e, j))
        if sign < 0:
            right = w.b.fneg(right)
        return [
            w.multiply_add(w.spread(w.b.load(w.move(left, r))), right, s)
            for r, s in enumerate(sums)
        ]

    sums = w.loop(first, last, 1, [w.load(pointer) for pointer in block], body)
    for pointer, s in zip(block, sums, strict=True):
        w.store(s, pointer)


@intrinsic
def add_products(context, A, i, j, T, n):
    """``A[i-block, j-block] += Σ_{e<n} T[e, i-block]ᵀ T[e, j-block]``."""

    def write(w: Writer) -> None:
        _, i, j, _, n = w.arguments
        _products(w, 0, i, j, 3, number(0), n, 1)

    return _returns_nothing(write, A, Place, Place, T, Place)


@intrinsic
def add_squares(context, A, i, T, n):
    """:func:`add_products` on the diagonal, without most of what is below it.

    The lower half of the rows needs the right half of the columns alone: half a vector.
    """

    def write(w: Writer) -> None:
        _, i, _, n = w.arguments
        b = w.b
        half = LANES // 2
        narrow = ir.VectorType(ir.FloatType(), half)
        right = b.add(i, number(half))
        block = [w.at(0, b.add(i, number(r)), i if r < half else right) for r in range(LANES)]
        kinds = [ZERO.type if r < half else narrow for r in range(LANES)]

        def body(e: ir.Value, sums: Any) -> Any:
            row = w.at(2, e, i)
            whole, part = w.load(row), w.load(w.move(row, half), narrow)
            renewed = []
            for r, s in enumerate(sums):
                x = b.load(w.move(row, r))
                spread = w.spread(x) if r < half else w.spread(x, narrow)
                renewed.append(w.multiply_add(spread, whole if r < half else part, s))
            return renewed

        begin = [w.load(pointer, kind) for pointer, kind in zip(block, kinds, strict=True)]
        for pointer, s in zip(block, w.loop(number(0), n, 1, begin, body), strict=True):
            w.store(s, pointer)

    return _returns_nothing(write, A, Place, T, Place)


@intrinsic
def subtract_finished(context, U, first, i, j):
    """``U[i-block, j-block] -= Σ U[e, i-block]ᵀ U[e, j-block]`` over the rows e from first to i."""

    def write(w: Writer) -> None:
        _, first, i, j = w.arguments
        _products(w, 0, i, j, 0, first, i, -1)

    return _returns_nothing(write, U, Place, Place, Place)


@intrinsic
def factorize_block(context, A, i, floor):
    """Turn the block on the diagonal into its factor U, UᵀU = A, and into U's inverse.

    Above the diagonal stays U, below it comes (U⁻¹)ᵀ, on it 1 / U: both substitutions then
    multiply and never divide. A pivot that is not above ``floor`` becomes 0, and so does the
    unknown that belongs to it.
    """

    def write(w: Writer) -> None:
        _, i, floor = w.arguments
        b = w.b
        block = [w.at(0, b.add(i, number(r)), i) for r in range(LANES)]
        U = [w.load(pointer) for pointer in block]
        one, zero = ir.Constant(ir.FloatType(), 1.0), ir.Constant(ir.FloatType(), 0.0)
        # A = L D Lᵀ first, and L⁻¹ by the same steps on the identity: no root is waited for.
        X = [b.insert_element(ZERO, one, w.number32(m)) for m in range(LANES)]
        inverses = ZERO
        for m in range(LANES):
            pivot = b.extract_element(U[m], w.number32(m))
            # In this order, so that a pivot of NaN makes the row NaN.
            dependent = b.fcmp_ordered("<=", pivot, floor)
            inverse = b.select(dependent, zero, b.fdiv(one, pivot))
            inverses = b.insert_element(inverses, inverse, w.number32(m))
            minus = b.fneg(b.fmul(U[m], w.spread(inverse)))
            for r in range(m + 1, LANES):
                factor = w.lane(minus, r)
                U[r] = w.multiply_add(factor, U[m], U[r])
                X[r] = w.multiply_add(factor, X[m], X[r])
        roots = w.root(inverses)  # D^-½
        for m, pointer in enumerate(block):
            row = b.fadd(w.only(U[m], lambda lane, m=m: lane > m), X[m])  # type: ignore[misc]
            w.store(b.fmul(row, w.lane(roots, m)), pointer)

    return _returns_nothing(write, A, Place, types.float32)


@intrinsic
def solve_block(context, U, i, j):
    """``U[i-block, j-block]``: solve ``U[i-block, i-block]ᵀ X = A[i-block, j-block]`` in place."""

    def write(w: Writer) -> None:
        _, i, j = w.arguments
        b = w.b
        left = [w.at(0, b.add(i, number(r)), i) for r in range(LANES)]
        block = [w.at(0, b.add(i, number(r)), j) for r in range(LANES)]
        rows = [w.load(pointer) for pointer in block]
        for m in range(LANES):
            rows[m] = b.fmul(rows[m], w.spread(b.load(w.move(left[m], m))))
            minus = b.fneg(rows[m])
            for r in range(m + 1, LANES):
                rows[r] = w.multiply_add(w.spread(b.load(w.move(left[m], r))), minus, rows[r])
        for pointer, row in zip(block, rows, strict=True):
            w.store(row, pointer)

    return _returns_nothing(write, U, Place, Place)


@intrinsic
def forward_block(context, U, i, last, y):
    """One block of solving ``Uᵀ z = y`` in place; y beyond the block, to ``last``, is reduced."""

    def write(w: Writer) -> None:
        _, i, last, _ = w.arguments
        b = w.b
        rows = [w.at(0, b.add(i, number(r)), i) for r in range(LANES)]
        here = w.at(3, i)
        z = w.load(here)
        minus = []
        for m in range(LANES):
            found = b.fmul(w.lane(z, m), w.spread(b.load(w.move(rows[m], m))))
            minus.append(b.fneg(found))
            above = w.only(w.load(rows[m]), lambda lane, m=m: lane > m)  # type: ignore[misc]
            z = w.multiply_add(above, minus[m], z)
            z = b.insert_element(z, b.extract_element(found, w.number32(0)), w.number32(m))
        w.store(z, here)
        distance = b.sub(last, i)

        def body(offset: ir.Value, _: Any) -> Any:
            sums = [w.load(w.move(here, offset)), ZERO]
            for m in range(LANES):
                sums[m % 2] = w.multiply_add(w.load(w.move(rows[m], offset)), minus[m], sums[m % 2])
            w.store(b.fadd(*sums), w.move(here, offset))
            return []

        w.loop(number(LANES), distance, LANES, [], body)

    return _returns_nothing(write, U, Place, Place, y)


@intrinsic
def backward_block(context, U, i, last, y):
    """One block of solving ``U y = z`` in place; y beyond the block, to ``last``, is known."""

    def write(w: Writer) -> None:
        _, i, last, _ = w.arguments
        b = w.b
        rows = [w.at(0, b.add(i, number(r)), i) for r in range(LANES)]
        here = w.at(3, i)
        distance = b.sub(last, i)

        def body(offset: ir.Value, sums: Any) -> Any:
            known = w.load(w.move(here, offset))
            return [
                w.multiply_add(w.load(w.move(row, offset)), known, s)
                for row, s in zip(rows, sums, strict=True)
            ]

        explained = w.loop(number(LANES), distance, LANES, [ZERO] * LANES, body)
        halves = [w.sums(explained[h : h + GROUP]) for h in range(0, LANES, GROUP)]
        rest = b.fsub(w.load(here), w.side_by_side(halves))
        sums = [ZERO, ZERO]
        for m in range(LANES):  # the rows of (U⁻¹)ᵀ, on and below the diagonal
            below = w.only(w.load(rows[m]), lambda lane, m=m: lane <= m)  # type: ignore[misc]
            sums[m % 2] = w.multiply_add(below, w.lane(rest, m), sums[m % 2])
        w.store(b.fadd(*sums), here)

    return _returns_nothing(write, U, Place, Place, y)
