"""Faults on purpose: processes are killed, at random and at every write, and nothing may be lost.

In `make test` each of these runs a few times; `make chaos` runs them as often as
PROJECTIONIST_TEST_KILLS says.
"""
