"""Prometheus metrics: requests and scores of all workers, and the state of model and store.

Counters and histograms are shared by the workers through files (prometheus_client's multiprocess mode, in the
folder of ``PROMETHEUS_MULTIPROC_DIR``). The state of model and store is that of the worker that answers ``/metrics``.
"""

from __future__ import annotations

import os
from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache

import prometheus_client as prometheus
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from serving.api.metric_files import share_safely
from serving.champion.champion import ChampionState
from serving.store.store import Publication

CONTENT_TYPE = prometheus.CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

share_safely()
_requests = prometheus.Counter("stayworth_requests", "Requests answered.", ["route", "status"])
_seconds = prometheus.Histogram(
    "stayworth_request_seconds", "From the request's head to its answer.", ["route"], buckets=_SECONDS
)
_scores = prometheus.Counter("stayworth_scores", "Customers scored live.", ["tier"])
_probability = prometheus.Histogram(
    "stayworth_churn_probability",
    "Churn probabilities of customers scored live.",
    buckets=[tenth / 10 for tenth in range(1, 11)],
)


def count_request(route: str, status: int, seconds: float) -> None:
    """Count one request under its route, never under a path that a caller made up."""
    with suppress(OSError):  # a full disk costs a count, and no answer
        count, time = _request_metrics(route, status)
        count.inc()
        time.observe(seconds)


@cache
def _request_metrics(route: str, status: int) -> tuple[prometheus.Counter, prometheus.Histogram]:
    """Return the labelled metrics; prometheus_client would look each up under a lock every time."""
    return _requests.labels(route, str(status)), _seconds.labels(route)


def count_scores(tiers: Iterable[str], probabilities: Iterable[float]) -> None:
    """Count scored customers by tier and probability."""
    with suppress(OSError):
        for tier, count in Tally(tiers).items():
            _scores.labels(tier).inc(count)
        for probability in probabilities:
            _probability.observe(probability)


def exposition(state: ChampionState, publication: Publication | None, store_up: bool) -> bytes:
    """Return all metrics in Prometheus's text format.

    Parameters
    ----------
    state : ChampionState
        Of the worker that answers.
    publication : Publication or None
        The newest scores, if any were published.
    store_up : bool
    """
    registry = prometheus.CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        for metric in (_requests, _seconds, _scores, _probability):
            registry.register(metric)
    registry.register(_State(state, publication, store_up))
    return prometheus.generate_latest(registry)


class _State(Collector):
    """Gauges of the current state of model and store."""

    def __init__(self, state: ChampionState, publication: Publication | None, store_up: bool) -> None:
        self.state, self.publication, self.store_up = state, publication, store_up

    def collect(self) -> Iterator[Metric]:
        state = self.state
        model = GaugeMetricFamily("stayworth_model_info", "The version that scores.", labels=["version"])
        if state.version is not None:
            model.add_metric([state.version], 1)
        yield model
        if state.trained_at is not None:
            yield GaugeMetricFamily(
                "stayworth_model_age_seconds", "Since the version was trained.", _age(state.trained_at)
            )
        if state.horizon_days is not None:
            yield GaugeMetricFamily(
                "stayworth_model_horizon_days", "Length of the version's churn window.", state.horizon_days
            )
        yield CounterMetricFamily(
            "stayworth_refused_models", "Versions that were to score and could not be used.", state.refusals
        )
        yield GaugeMetricFamily("stayworth_registry_up", "Whether the registry answers.", state.registry_up)
        yield GaugeMetricFamily("stayworth_store_up", "Whether the score store answers.", self.store_up)
        if self.publication is not None:
            published = self.publication
            info = GaugeMetricFamily(
                "stayworth_store_info",
                "The version and the date of the newest scores.",
                labels=["model_version", "snapshot_date"],
            )
            info.add_metric([published.model_version, str(published.snapshot_date)], 1)
            yield info
            if published.horizon_days is not None:
                yield GaugeMetricFamily(
                    "stayworth_store_horizon_days",
                    "Length of the churn window of the newest scores.",
                    published.horizon_days,
                )
            yield GaugeMetricFamily(
                "stayworth_store_age_seconds",
                "Since the newest scores were published.",
                _age(published.published_at),
            )
            yield GaugeMetricFamily(
                "stayworth_store_customers", "Customers in the newest scores.", published.customers
            )


def _age(moment: datetime) -> float:
    return (datetime.now(UTC) - moment).total_seconds()
