"""What the machine can do at best: figures that can be true."""

from benchmarks.training import ceilings


def test_ceilings_are_those_of_some_computer():
    # Between a tenth of the slowest and a hundred times the fastest machine of these years.
    assert 1e8 < ceilings.memory_bandwidth(2, words=1 << 20) < 1e13
    assert 1e7 < ceilings.multiply_adds(1, side=256) < 1e14
