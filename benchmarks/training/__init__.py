"""ALS training beside implicit and irspack: the same matrix, the same objective, one at a time.

Run as ``python -m benchmarks.training`` for a small comparison on the terminal, and as::

    python -m benchmarks.training --sizes ml-1m,5m,ml-20m,100m --factors 64,128,256 \
        --output docs/performance.md

for the page with its plot. A full run takes hours. It can be made in pieces: each part, size and
program may run on its own, its results are added to ``--results``, and the page is made of all
that lies there (``--render`` makes it without measuring). What was measured again replaces what
it repeats.

Every single training is a process of its own (``benchmarks.training.worker``), so that its peak
memory is its own; the programs take turns, ``--runs`` times over, so that a slow minute of the
machine hits all of them. Each gets the surroundings that its authors recommend:
``benchmarks.training.programs`` lists them. That all of them minimize one and the same function is
explained in ``benchmarks.training.objective`` and tried before each comparison by
``benchmarks.training.agreement``.
"""
