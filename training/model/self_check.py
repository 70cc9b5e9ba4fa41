"""Self-check of a version: invented customers are scored when it is saved and again when it is loaded.

On loading, the example is scored again from orders to money. If a number differs, the files are not those that were
saved, or this release computes differently: such a version must not score customers. The example holds no real
customer: the histories are invented, in units of the model's churn window and spend per purchase.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.behaviour.catalogue import FILES, file_of
from features.errors import ModelError
from features.language import translated
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.baskets import GROUPS
from features.table.columns import as_columns
from features.table.history import Beside, PurchaseHistory
from training.model.score_table import frame_of

if TYPE_CHECKING:
    from training.model.retention_model import RetentionModel

FILE = "example.json"

TOLERANCE = 1e-6
"""Relative difference that passes. Another processor's exponentials and logarithms differ in the last of 16 digits,
and differences of nearly equal values amplify that to the tenth digit at most; no decision depends on a millionth."""

_SOMEDAY = "2024-01-01"  # for a model without the date of its fit

# Purchases before the snapshot: (windows ago, mean spends, channel).
_Orders = list[tuple[float, float, str | None]]
_SPECIAL: dict[str, _Orders] = {
    "many orders in a day": [(0.4, 0.3 + 0.1 * order, "web") for order in range(8)],
    "heavy spender": [(0.2 + 0.25 * order, 12.0, "shop") for order in range(9)],
    "gives much back": [
        (0.3 * order + lag, sign, "web") for order in range(1, 7) for lag, sign in ((0.1, 1.5), (0.02, -1.4))
    ],
    "gave all back": [(0.5, 2.0, None), (0.45, -2.0, None)],
    "a free sample": [(0.7, 0.0, "web")],
}


def example_orders(model: RetentionModel, snapshot: date) -> pa.Table:
    """Invent orders of regular, lapsed, one-time and new customers of low and high spend, and of a few odd cases.

    Returns
    -------
    pyarrow.Table
        Of the log contract: customer_id, ordered_at, amount, channel; all before the snapshot.
    """
    window, mean = model.terms.horizon_days, model.clv.spend.population_mean
    rows = [
        (name, snapshot - timedelta(days=max(1, round(ago * window))), round(spends * mean, 2), channel)
        for name, orders in (_regulars() | _SPECIAL).items()
        for ago, spends, channel in orders
    ]
    customers, days, amounts, channels = zip(*rows, strict=True)
    return pa.table(
        {
            "customer_id": customers,
            "ordered_at": days,
            "amount": pa.array(amounts, pa.float64()),
            "channel": channels,
        }
    )


def example_table(model: RetentionModel) -> pd.DataFrame:
    """Return the feature table of the invented customers, as `RetentionModel.score` takes it."""
    snapshot = Snapshot.parse(model.clv.fitted_at or _SOMEDAY)
    return _features(example_orders(model, snapshot.date), snapshot)


def write_example(model: RetentionModel, folder: Path) -> None:
    """Score invented customers and write them with their scores, as ``example.json``."""
    snapshot = Snapshot.parse(model.clv.fitted_at or _SOMEDAY)
    orders = example_orders(model, snapshot.date)
    content = {
        "snapshot_date": str(snapshot),
        "orders": orders.to_pydict(),
        "with_files": bool(model.files),
        "scores": _plain(_score(model, orders, snapshot)),
    }
    (folder / FILE).write_text(json.dumps(content, ensure_ascii=False, default=str), encoding="utf-8")


def check_example(model: RetentionModel, folder: Path, called: str | None = None) -> None:
    """Score the example in a version's folder again and compare.

    Reasons are not compared: a release may word them differently.

    Parameters
    ----------
    model : RetentionModel
        Loaded from ``folder``.
    folder : Path
    called : str, optional
        Name of the model in the error; by default its folder.

    Raises
    ------
    ModelError
        If the example is missing or damaged, or a number, date or tier of it is scored differently.
    """
    called = called or f"The model in {folder}"
    try:
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        saved: dict[str, list[Any]] = content["scores"]
        orders, snapshot = pa.table(content["orders"]), Snapshot.parse(content["snapshot_date"])
        again = _plain(_score(model, orders, snapshot, with_files=content.get("with_files", False)))
        differing = [name for name in saved if not _alike(saved[name], again[name])]
        if not saved:
            raise KeyError("scores")
    except Exception as error:  # of any kind: the file or the model is damaged
        raise ModelError(
            translated(
                "{called} cannot score its own example ({kind}). Train it again, or roll back.",
                called=called,
                kind=type(error).__name__,
            )
        ) from error
    if differing:
        raise ModelError(
            translated(
                "{called} does not score its own example as when it was saved, in {names}. Train it again, or "
                "roll back.",
                called=called,
                names=list(differing),
            )
        )


def _regulars() -> dict[str, _Orders]:
    """Return customers on a grid of purchases, gaps and silences (in churn windows) and spend."""
    spends = (0.4, 1.0, 2.5)
    return {
        f"{purchases} purchases, gap {gap}, silent {silence}": [
            (
                silence + gap * order,
                spends[(place + order * (place % 2)) % 3],
                "shop" if (place + order) % 4 == 0 else "web",
            )
            for order in range(purchases)
        ]
        for place, (purchases, gap, silence) in enumerate(
            (purchases, gap, silence)
            for purchases in (1, 2, 4, 9)
            for gap in ((0.1, 0.4) if purchases > 1 else (0.0,))
            for silence in (0.03, 0.3, 1.0, 3.0)
        )
    }


@dataclass(frozen=True)
class _InventedFiles:
    """What files would say of the invented customers: every third has no row, the others have all there is in turn.

    Parameters
    ----------
    model : RetentionModel, whose features of files and own features are given
    """

    model: RetentionModel

    @property
    def own(self) -> Mapping[str, str]:
        """The version's own features, which come from the invented orders."""
        return self.model.own

    @property
    def baskets(self) -> Sequence[str]:
        """None from the invented orders, which tell no product: they are given with what files would say."""
        return ()

    def columns(self, snapshot: Snapshot, customer_ids: np.ndarray) -> dict[str, np.ndarray]:
        """Return numbers from 0 up, and of attributes the values that were learnt from."""
        learnt = {name: values for each in self.model.inputs for name, values in each.categories.items()}
        return {
            name: _invented(learnt.get(name), place, len(customer_ids))
            for place, name in enumerate(self.model.features)
            if file_of(name) in (*FILES, *GROUPS)
        }


def _invented(values: Sequence[str] | None, place: int, count: int) -> np.ndarray:
    turns = np.arange(count)
    known = turns % 3 != 0
    if values is None:
        return np.where(known, (turns + place) % 11, np.nan)
    found = np.full(count, None, dtype=object)
    if values:
        texts = sorted(values)  # not by their places in the version, which are what is checked
        found[known] = [texts[(turn + place) % len(texts)] for turn in turns[known]]
    return found


def _score(
    model: RetentionModel, orders: pa.Table, snapshot: Snapshot, *, with_files: bool = True
) -> pd.DataFrame:
    beside = _InventedFiles(model) if with_files and model.files else None
    # Without reasons, which are not compared: they would take LightGBM, a second to import.
    return frame_of(model.score_columns(as_columns(_features(orders, snapshot, beside)), reasons=False))


def _features(orders: pa.Table, snapshot: Snapshot, beside: Beside | None = None) -> pd.DataFrame:
    # By the snapshot's own clock: what is in the future must not depend on the day the version is loaded.
    log = validate(orders, now=datetime.combine(snapshot.date, time.min))
    with PurchaseHistory(log, beside=beside) as history:
        return history.features(snapshot)


def _plain(scores: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the compared columns in JSON's types."""
    kept = scores.drop(columns=["reasons"])
    return {
        name: [cell.isoformat() if isinstance(cell, date) else cell for cell in kept[name].tolist()]
        for name in kept
    }


def _alike(saved: list[Any], again: list[Any]) -> bool:
    if not all(isinstance(cell, float | int) for cell in saved):
        return len(saved) == len(again) and all(map(_same, saved, again))
    numbers, others = np.array(saved, dtype=float), np.array(again, dtype=float)
    known = numbers[~np.isnan(numbers)]
    smallest = 1e-3 * TOLERANCE * float(np.abs(known).max(initial=0.0))  # what differences leave of zero
    return numbers.shape == others.shape and np.allclose(
        others, numbers, rtol=TOLERANCE, atol=smallest, equal_nan=True
    )


def _same(saved: str | None, again: str | None) -> bool:
    """Compare texts; dates may differ by a day, as they come from numbers rounded up to a day."""
    if saved == again:
        return True
    try:
        return abs((date.fromisoformat(str(saved)) - date.fromisoformat(str(again))).days) <= 1
    except ValueError:
        return False
