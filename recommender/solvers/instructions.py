"""How vector instructions are written: the alphabet of ``vectors.py``.

Numba compiles loops well, and the innermost ones not well enough: it does not keep a block of a
matrix in registers. So those are written as LLVM instructions over vectors of :data:`LANES`
float32, which LLVM turns into AVX-512, AVX2 or NEON code. ``docs/decisions/0008-kernels.md`` has
the measurements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import binding, ir
from numba.core import cgutils

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LANES = 16 if binding.get_host_cpu_features().get("avx512f") else 8
"""How many float32 one vector holds. A block of a matrix is LANES rows of LANES columns, so that
it just fits into the registers: 16 with AVX-512, 8 with AVX2 and NEON."""

GROUP = 8
"""How many rows are taken together: enough sums in flight that none waits for another."""


def padded(width: int) -> int:
    """Round up to a multiple of ``LANES``."""
    return -(-width // LANES) * LANES


_FLOAT, _I32, _I64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
VECTOR = ir.VectorType(_FLOAT, LANES)
EIGHT = ir.VectorType(_FLOAT, GROUP)


def number(value: int) -> ir.Constant:
    """A place, or a distance between two."""
    return ir.Constant(_I64, value)


def lanes(positions: Sequence[int]) -> ir.Constant:
    """Which lanes a shuffle takes, in order."""
    return ir.Constant(
        ir.VectorType(_I32, len(positions)), [ir.Constant(_I32, p) for p in positions]
    )


ZERO = ir.Constant(VECTOR, [0.0] * LANES)


class Writer:
    """Writes one intrinsic: LLVM's builder with the vocabulary of this file."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        self.context = context
        self.b = builder
        self.types = signature.args
        self.arguments = arguments

    def at(self, argument: int, *place: ir.Value) -> ir.Value:
        """Point at an element of an array argument: (row, column), or (position,)."""
        array = cgutils.create_struct_proxy(self.types[argument])(
            self.context, self.b, self.arguments[argument]
        )
        if len(place) == 1:
            return self.b.gep(array.data, [place[0]])
        width = self.b.extract_value(array.shape, 1)
        return self.b.gep(array.data, [self.b.add(self.b.mul(place[0], width), place[1])])

    def move(self, pointer: ir.Value, offset: ir.Value | int) -> ir.Value:
        """Point that many elements further."""
        return self.b.gep(pointer, [number(offset) if isinstance(offset, int) else offset])

    def eight_rows(self, matrix: int, rows: int, at: ir.Value) -> list[ir.Value]:
        """Point at the rows of a matrix argument that eight numbers of another argument name."""
        begins = []
        widen = self.b.sext if self.types[rows].dtype.signed else self.b.zext
        for m in range(GROUP):
            row = self.b.load(self.at(rows, self.b.add(at, number(m))))
            begins.append(self.at(matrix, widen(row, _I64), number(0)))
        return begins

    def load(self, pointer: ir.Value, kind: ir.Type = VECTOR) -> ir.Value:
        """Read a vector."""
        return self.b.load(self.b.bitcast(pointer, kind.as_pointer()), align=4)

    def store(self, value: ir.Value, pointer: ir.Value) -> None:
        """Write a vector."""
        self.b.store(value, self.b.bitcast(pointer, value.type.as_pointer()), align=4)

    def number32(self, value: int) -> ir.Constant:
        """Name a lane."""
        return ir.Constant(_I32, value)

    def spread(self, value: ir.Value, kind: ir.Type = VECTOR) -> ir.Value:
        """One number in every lane."""
        nothing = ir.Constant(kind, ir.Undefined)
        one = self.b.insert_element(nothing, value, self.number32(0))
        return self.b.shuffle_vector(one, nothing, lanes([0] * kind.count))

    def lane(self, vector: ir.Value, lane: int) -> ir.Value:
        """One lane of a vector in every lane."""
        return self.b.shuffle_vector(vector, vector, lanes([lane] * LANES))

    def multiply_add(self, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        """``x y + z``, rounded once."""
        kind = ir.FunctionType(x.type, [x.type] * 3)
        name = f"llvm.fma.v{x.type.count}f32"
        return self.b.call(cgutils.get_or_insert_function(self.b.module, kind, name), [x, y, z])

    def root(self, vector: ir.Value) -> ir.Value:
        """The square root in each lane."""
        kind = ir.FunctionType(VECTOR, [VECTOR])
        name = f"llvm.sqrt.v{LANES}f32"
        return self.b.call(cgutils.get_or_insert_function(self.b.module, kind, name), [vector])

    def prefetch(self, pointer: ir.Value, near: int = 3) -> None:
        """Ask for memory that will be read soon."""
        address = self.b.bitcast(pointer, ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [address.type, _I32, _I32, _I32])
        function = cgutils.get_or_insert_function(self.b.module, kind, "llvm.prefetch.p0")
        read, locality, data = (ir.Constant(_I32, n) for n in (0, near, 1))
        self.b.call(function, [address, read, locality, data])

    def only(self, vector: ir.Value, keep: Callable[[int], bool]) -> ir.Value:
        """The vector with zeros in the lanes that are not kept."""
        chosen = [lane if keep(lane) else LANES + lane for lane in range(LANES)]
        return self.b.shuffle_vector(vector, ZERO, lanes(chosen))

    def side_by_side(self, eights: Sequence[ir.Value]) -> ir.Value:
        """One vector out of one or two vectors of eight."""
        if len(eights) == 1:
            return eights[0]
        return self.b.shuffle_vector(*eights, lanes(range(LANES)))

    def loop(
        self,
        first: ir.Value,
        last: ir.Value,
        step: int,
        carried: Sequence[ir.Value],
        body: Callable[[ir.Value, Sequence[ir.Value]], Sequence[ir.Value]],
    ) -> Sequence[ir.Value]:
        """Write ``for i in range(first, last, step): carried = body(i, carried)``."""
        b = self.b
        before = b.block
        head, inside, after = (b.append_basic_block(name) for name in ("head", "body", "after"))
        b.branch(head)
        b.position_at_end(head)
        i = b.phi(_I64)
        i.add_incoming(first, before)
        held = [b.phi(value.type) for value in carried]
        for phi, value in zip(held, carried, strict=True):
            phi.add_incoming(value, before)
        b.cbranch(b.icmp_signed("<", i, last), inside, after)
        b.position_at_end(inside)
        renewed = body(i, held)
        i.add_incoming(b.add(i, number(step)), b.block)
        for phi, value in zip(held, renewed, strict=True):
            phi.add_incoming(value, b.block)
        b.branch(head)
        b.position_at_end(after)
        return held

    def sums(self, vectors: Sequence[ir.Value]) -> ir.Value:
        """The sum over the lanes of each of eight vectors, as one vector of eight."""
        b = self.b
        folded = []
        for vector in vectors:
            while (n := vector.type.count) > GROUP:
                low, high = lanes(range(n // 2)), lanes(range(n // 2, n))
                vector = b.fadd(
                    b.shuffle_vector(vector, vector, low), b.shuffle_vector(vector, vector, high)
                )
            folded.append(vector)
        # Three rounds of pairs: sums of 2, 4, 8 lanes of two vectors side by side.
        for left, right in (
            ([0, 8, 2, 10, 4, 12, 6, 14], [1, 9, 3, 11, 5, 13, 7, 15]),
            ([0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15]),
            ([0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15]),
        ):
            folded = [
                b.fadd(b.shuffle_vector(x, y, lanes(left)), b.shuffle_vector(x, y, lanes(right)))
                for x, y in zip(folded[::2], folded[1::2], strict=True)
            ]
        return folded[0]
