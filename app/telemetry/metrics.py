"""What is counted, and how it is told to Prometheus.

:data:`METRICS` is the table that the collectors and the documentation read. Requests are counted
in plain numbers by the thread of the event loop, which also answers ``/metrics``, so that nothing
needs a lock. Everything else is looked up when somebody asks and costs a request nothing.

No label holds what a client has sent: there are at most as many series as the routes, methods and
statuses that exist allow.
"""

from __future__ import annotations

from bisect import bisect_left
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from time import time
from typing import TYPE_CHECKING, Literal

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

from recommender.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from prometheus_client.metrics_core import Metric as Family

    from app.serving.current import Current
    from app.store.interface import Store
    from app.trainer.records import TrainingRecord

    Trainings = Callable[[], list[TrainingRecord]]

BOUNDS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, float("inf")),
)
"""Seconds: up to where each bucket of the histogram reaches, the bound included."""

METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
)
"""Those told apart; a client may send any word as its method."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of the table.

    Attributes
    ----------
    name
        As it is exposed; of a histogram without ``_bucket``, ``_sum`` and ``_count``.
    kind
        How it behaves.
    help
        What it means.
    labels
        What its series are told apart by.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "projectionist_http_requests_total",
            "counter",
            "Requests, by method (other if it is not one of HTTP), by the template of the route "
            "(none if the request reached none) and by status (0 if there was no answer).",
            ("method", "route", "status"),
        ),
        Metric(
            "projectionist_http_request_seconds",
            "histogram",
            "From the whole head of a request to the end of its answer, by route.",
            ("route",),
        ),
        Metric(
            "projectionist_http_requests_in_flight",
            "gauge",
            "Requests that are being answered now, the one that asks included.",
        ),
        Metric(
            "projectionist_build_info",
            "gauge",
            "Always 1; the label tells the version of the program.",
            ("version",),
        ),
        Metric(
            "projectionist_model_generation",
            "gauge",
            "Number of the generation that is served; 0 while there is none.",
        ),
        Metric(
            "projectionist_model_trained_timestamp_seconds",
            "gauge",
            "When the generation that is served was trained, since 1970; absent without one.",
        ),
        Metric(
            "projectionist_model_age_seconds",
            "gauge",
            "How long ago the generation that is served was trained; absent without one.",
        ),
        Metric(
            "projectionist_model_swaps_total",
            "counter",
            "Published generations that this process has taken up, and that it has refused.",
            ("result",),
        ),
        Metric(
            "projectionist_train_duration_seconds",
            "gauge",
            "How long the newest training took that ended, by how it ended.",
            ("outcome",),
        ),
        Metric(
            "projectionist_train_last_success_timestamp_seconds",
            "gauge",
            "When the newest training ended that was published, since 1970; absent without one.",
        ),
        Metric(
            "projectionist_train_running",
            "gauge",
            "1 while a training runs, in whatever process; else 0.",
        ),
        Metric(
            "projectionist_fresh_ratings",
            "gauge",
            "Ratings and deletions that are newer than the model that is served.",
        ),
        Metric(
            "projectionist_generations_refused",
            "gauge",
            "Generations that were published, could not be taken up, and still wait to be mended.",
        ),
        Metric(
            "projectionist_store_commits_total",
            "counter",
            "Transactions committed since the start.",
        ),
        Metric(
            "projectionist_store_operations_total",
            "counter",
            "Writes acknowledged since the start; many share a transaction.",
        ),
        Metric(
            "projectionist_store_queued",
            "gauge",
            "Writes that wait for their transaction.",
        ),
        Metric(
            "projectionist_store_writable",
            "gauge",
            "1, or 0 when the latest transaction failed.",
        ),
    )
}
"""Every metric that is ours, by name."""

PROCESS_METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes."),
        Metric("process_resident_memory_bytes", "gauge", "Resident memory size in bytes."),
        Metric(
            "process_start_time_seconds",
            "gauge",
            "Start time of the process since unix epoch in seconds.",
        ),
        Metric(
            "process_cpu_seconds_total",
            "counter",
            "Total user and system CPU time spent in seconds.",
        ),
        Metric("process_open_fds", "gauge", "Number of open file descriptors."),
        Metric("process_max_fds", "gauge", "Maximum number of open file descriptors."),
    )
}
"""Those that every program with a Prometheus client has, by name; on Linux alone."""


class _Times:
    """The histogram of one route; ``buckets`` are counted apart and summed when asked."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.seconds = 0.0
        self.buckets = [0] * len(BOUNDS)


class _Answers:
    """How often one route gave one status to one method, and its route's times."""

    __slots__ = ("count", "times")

    def __init__(self, times: _Times) -> None:
        self.count = 0
        self.times = times


class RequestCounts(Collector):
    """Counts requests and their times.

    Attributes
    ----------
    in_flight
        How many are being answered; changed by who answers them.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self._answers: dict[tuple[str, str | None, int], _Answers] = {}
        self._times: dict[str | None, _Times] = {}

    def observe(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count a request.

        Parameters
        ----------
        method
            Of the request, as it was sent.
        route
            The template of its address, ``None`` where it reached no route.
        status
            Of the answer; 0 when there was none.
        seconds
            How long it took.
        """
        answers = self._answers.get((method, route, status))
        if answers is None:
            answers = self._begin(method, route, status)
        answers.count += 1
        times = answers.times
        times.seconds += seconds
        times.buckets[bisect_left(BOUNDS, seconds)] += 1

    def _begin(self, method: str, route: str | None, status: int) -> _Answers:
        key = (method if method in METHODS else "other", route, status)
        if key not in self._answers:
            self._answers[key] = _Answers(self._times.setdefault(route, _Times()))
        return self._answers[key]

    def collect(self) -> Iterator[Family]:
        """Tell what was counted."""
        requests = _counter("projectionist_http_requests_total")
        for (method, route, status), answers in self._answers.items():
            requests.add_metric((method, route or "none", str(status)), answers.count)
        yield requests
        metric = METRICS["projectionist_http_request_seconds"]
        durations = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        for route, times in self._times.items():
            buckets = list(zip(_BOUND_NAMES, accumulate(times.buckets), strict=True))
            durations.add_metric((route or "none",), buckets, times.seconds)
        yield durations
        yield _gauge("projectionist_http_requests_in_flight", self.in_flight)


_BOUND_NAMES = [*map(str, BOUNDS[:-1]), "+Inf"]


class ServiceState(Collector):
    """Looks up how the model and the store are doing."""

    def __init__(
        self, current: Current, store: Store, swaps: Mapping[str, int], trainings: Trainings
    ) -> None:
        self._current = current
        self._store = store
        self._swaps = swaps
        self._trainings = trainings

    def collect(self) -> Iterator[Family]:
        """Tell what is so now."""
        yield _gauge("projectionist_build_info", 1, (__version__,))
        serving = self._current.serving
        yield _gauge("projectionist_model_generation", serving.number if serving else 0)
        if serving is not None:
            with suppress(ValueError):  # the manifest holds whatever its writer took for a time
                moment = datetime.fromisoformat(serving.generation.manifest.trained_at)
                seconds = moment.timestamp()
                yield _gauge("projectionist_model_trained_timestamp_seconds", seconds)
                yield _gauge("projectionist_model_age_seconds", max(0.0, time() - seconds))
        swaps = _counter("projectionist_model_swaps_total")
        for result, times in self._swaps.items():
            swaps.add_metric((result,), times)
        yield swaps
        yield from self._of_trainings()
        fresh = len(serving.fresh) if serving else 0
        yield _gauge("projectionist_fresh_ratings", fresh)
        yield _gauge("projectionist_generations_refused", len(self._current.refused))
        writer = self._store.writer_state()
        for name, total in (("commits", writer.commits), ("operations", writer.operations)):
            counter = _counter(f"projectionist_store_{name}_total")
            counter.add_metric((), total)
            yield counter
        yield _gauge("projectionist_store_queued", writer.queued)
        yield _gauge("projectionist_store_writable", writer.problem is None)

    def _of_trainings(self) -> Iterator[Family]:
        """Tell of trainings, whichever process ran them: newest first, as their records are."""
        records = self._trainings()
        yield _gauge("projectionist_train_running", any(r.state == "running" for r in records))
        ended = [record for record in records if record.seconds is not None and record.outcome]
        if ended:
            newest = ended[0]
            name = "projectionist_train_duration_seconds"
            yield _gauge(name, newest.seconds or 0.0, (newest.outcome or "",))
        for record in ended:
            if record.outcome == "published" and record.ended_at:
                with suppress(ValueError):
                    moment = datetime.fromisoformat(record.ended_at).timestamp()
                    yield _gauge("projectionist_train_last_success_timestamp_seconds", moment)
                    return


def registry_of(
    requests: RequestCounts,
    current: Current,
    store: Store,
    swaps: Mapping[str, int],
    trainings: Trainings,
) -> CollectorRegistry:
    """Return all that one application tells; each has a registry of its own."""
    registry = CollectorRegistry()
    registry.register(requests)
    registry.register(ServiceState(current, store, swaps, trainings))
    ProcessCollector(registry=registry)
    return registry


def _counter(name: str) -> CounterMetricFamily:
    metric = METRICS[name]
    return CounterMetricFamily(metric.name, metric.help, labels=metric.labels)


def _gauge(name: str, value: float, labels: Sequence[str] = ()) -> GaugeMetricFamily:
    metric = METRICS[name]
    family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    family.add_metric(labels, value)
    return family
