"""The state of a running service, read from its metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import httpx
from prometheus_client.parser import text_string_to_metric_families

from features.errors import StayworthError

SECONDS = 10.0


@dataclass(frozen=True)
class Status:
    """The state of a running service.

    Parameters
    ----------
    ready : bool
        Whether a champion is loaded.
    samples : dict of (name, label) to float
        Every sample of the metrics, summed over the labels that are left out.
    version : str or None
        Of the model that scores.
    """

    ready: bool
    samples: dict[str, float]
    version: str | None
    listed: tuple[str, str] | None = None

    def rows(self) -> list[tuple[str, str]]:
        """Return the rows of a table: what, and its state."""
        get = self.samples.get
        return [
            ("ready", "yes" if self.ready else "no: no champion is loaded"),
            (
                "model",
                f"version {self.version}, {_age(get('stayworth_model_age_seconds'))}{self._window('model')}"
                if self.version
                else "none",
            ),
            ("registry", "up" if get("stayworth_registry_up") else "down: the loaded version goes on"),
            ("refused versions", f"{get('stayworth_refused_models_total', 0):,.0f}"),
            ("score store", self._store()),
            ("requests", f"{get('stayworth_requests_total', 0):,.0f}"),
            ("customers scored live", f"{get('stayworth_scores_total', 0):,.0f}"),
        ]

    def _store(self) -> str:
        if not self.samples.get("stayworth_store_up"):
            return "down"
        if (customers := self.samples.get("stayworth_store_customers")) is None:
            return "nothing published yet"
        found = f"{customers:,.0f} customers, {_age(self.samples.get('stayworth_store_age_seconds'))}"
        if self.listed is None:
            return found
        version, snapshot = self.listed
        return (
            f"{found}, of {snapshot} by version {version}{self._window('store')}{self._difference(version)}"
        )

    def _window(self, of: str) -> str:
        days = self.samples.get(f"stayworth_{of}_horizon_days")
        return "" if days is None else f", churn in {days:.0f} days"

    def _difference(self, version: str) -> str:
        """Say where the list is of another version than the one that scores, and its probabilities of other windows."""
        if version == self.version:
            return ""
        windows = {self._window(of) for of in ("model", "store")} - {""}
        other = (
            " Their probabilities are of different windows, and do not compare." if len(windows) > 1 else ""
        )
        return f": not the version that scores.{other} Publish again: stayworth score --publish"


def read_status(url: str, key: str | None = None) -> Status:
    """Read the state of a running service.

    Parameters
    ----------
    url : str
        Such as ``http://localhost:3000``.
    key : str, optional
        An API key, where ``/metrics`` asks for one.

    Raises
    ------
    StayworthError
        If it does not answer, or refuses its metrics.
    """
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=SECONDS) as client:
            ready, metrics = client.get("/readyz"), client.get("/metrics")
    except httpx.HTTPError as error:
        raise StayworthError(
            f"No service answers at {url} ({type(error).__name__}). Start one: stayworth serve"
        ) from None
    if metrics.status_code != 200:
        remedy = (
            "give a key: --key, or STAYWORTH_KEY"
            if metrics.status_code == 401
            else "see --metrics of stayworth serve"
        )
        raise StayworthError(f"{url}/metrics answers {metrics.status_code}; {remedy}.")
    samples: dict[str, float] = {}
    version, listed = None, None
    for family in text_string_to_metric_families(metrics.text):
        for sample in family.samples:
            samples[sample.name] = samples.get(sample.name, 0.0) + sample.value
            if sample.name == "stayworth_model_info":
                version = sample.labels["version"]
            elif sample.name == "stayworth_store_info":
                listed = sample.labels["model_version"], sample.labels["snapshot_date"]
    return Status(ready.status_code == 200, samples, version, listed)


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "of unknown age"
    age = timedelta(seconds=round(seconds))
    return f"{age} old"
