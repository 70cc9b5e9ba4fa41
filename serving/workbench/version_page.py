"""One registered version in the reader's language: what its test says, in words and in numbers, and its settings.

It is made of the numbers that were logged with the version; the card, written when it was trained, stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from features.language import short_day, translatable, translated, written
from serving.workbench.models import row_of
from serving.workbench.page import page, said
from serving.workbench.visit import Visit
from training.metrics.probabilities import TIE
from training.versions.version import Version

_CHURN = {
    "customers": (translatable("Customers"), ",.0f"),
    "churn_rate": (translatable("Share who left"), ".1%"),
    "auc": (translatable("AUC: one who left is ranked above one who stayed"), ".3f"),
    "log_loss": (translatable("Log-loss: lower is better"), ".4f"),
    "brier": (translatable("Brier score: lower is better"), ".4f"),
    "calibration_error": (translatable("Calibration error, ten groups"), ".3f"),
    "calibration_in_the_large": (translatable("Mean predicted less observed churn"), "+.3f"),
}
_SPEND = {
    "test_spend_ratio": (translatable("Expected over actual spend"), ".2f"),
    "test_spend_mae": (translatable("Mean absolute error, money"), ",.2f"),
    "test_spend_spearman": (translatable("Spearman"), ".3f"),
    "test_spend_gini": (translatable("Gini"), ".3f"),
    "test_spend_top_decile_share": (translatable("Spend in its top 10%"), ".1%"),
    "test_spend_oracle_top_decile_share": (
        translatable("Spend in the top 10%, if everything were known"),
        ".1%",
    ),
    "test_spend_interval_coverage": (
        translatable("Tenths of customers whose spend lay in its interval"),
        ".0%",
    ),
}


@dataclass(frozen=True)
class Measure:
    """One number of the test; of churn that of the recent customers too."""

    name: str
    all: str
    recent: str = ""


def show(visit: Visit) -> Response:
    """Show a version."""
    number = visit.path["number"]
    version = next((each for each in visit.sources.versions.all() if each.version == number), None)
    if version is None:
        return said(visit, translated("There is no such version."), status=404, back="/models")
    return page(
        visit,
        "version.html",
        row=row_of(version),
        sentences=_sentences(version),
        churn=[
            Measure(
                translated(name),
                *(_number(version, f"test_{part}{metric}", shape) for part in ("", "recent_")),
            )
            for metric, (name, shape) in _CHURN.items()
        ],
        spend=[
            Measure(translated(name), _number(version, metric, shape))
            for metric, (name, shape) in _SPEND.items()
        ],
        params=sorted((name, value) for name, value in version.params.items() if value not in ("", "None")),
    )


def _number(version: Version, metric: str, shape: str) -> str:
    return written(version.metrics[metric], shape) if metric in version.metrics else "–"


def _sentences(version: Version) -> list[str]:
    """Say what the test says to somebody who decides; nothing of what was not measured."""
    metrics, test, horizon = version.metrics, row_of(version).test, version.params.get("horizon_days", "")
    found = []
    if test and horizon.isdecimal() and _all(metrics, "churn_rate", "calibration_in_the_large", "customers"):
        rate, off = metrics["test_churn_rate"], metrics["test_calibration_in_the_large"]
        found.append(
            translated(
                "Judged on {day}, with the {horizon} days after it kept hidden, it expected {expected:.1%} of "
                "{n:customer|customers} to stay silent, and {actual:.1%} did.",
                day=short_day(test),
                horizon=int(horizon),
                expected=rate + off,
                n=int(metrics["test_customers"]),
                actual=rate,
            )
        )
    if _all(metrics, "auc", "spend_ratio"):
        found.append(
            translated(
                "It ranks one who left above one who stayed {times} times in 100. The spend it expected came to "
                "{ratio} of what was spent.",
                times=written(100 * metrics["test_auc"], ".0f"),
                ratio=written(metrics["test_spend_ratio"], ".0%"),
            )
        )
    if _all(metrics, "log_loss", "best_baseline_log_loss"):
        found.append(_against_simpler(metrics["test_log_loss"], metrics["test_best_baseline_log_loss"]))
    return found


def _all(metrics: Mapping[str, float], *names: str) -> bool:
    return all(f"test_{name}" in metrics for name in names)


def _against_simpler(own: float, simpler: float) -> str:
    """Compare log-losses with the best of the simpler models of its race."""
    if own < simpler - TIE:
        sentence = translatable(
            "It predicts better than every simpler model: log-loss {own:.4f}, the best of them {simpler:.4f}."
        )
    elif own <= simpler + TIE:
        sentence = translatable(
            "It predicts as well as the best of the simpler models: log-loss {own:.4f}, of that one {simpler:.4f}."
        )
    else:
        sentence = translatable(
            "A simpler model predicts better: log-loss {own:.4f}, of that one {simpler:.4f}. Ask whoever trained it "
            "why."
        )
    return translated(sentence, own=own, simpler=simpler)
