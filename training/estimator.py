"""Fitting in one step: from a log of orders to the model that scores its customers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from features.economics.money import in_real_money
from features.log.loading import LOG_OPTIONS, LogSource, load_log, unknown_option
from features.log.settings import LogRules
from training.behaviour_settings import BehaviourSettings, OwnFeatureSettings
from training.cost_settings import CostSettings
from training.model.retention_model import RetentionModel
from training.pipeline import train
from training.settings import TrainSettings

_OF_A_VERSION = {"promote", "force", "if_due"}
_COSTS = frozenset(CostSettings.model_fields.keys() - {"file"} | {"costs"})
_BEHAVIOUR = frozenset(BehaviourSettings.model_fields)
_OWN = frozenset(OwnFeatureSettings.model_fields)
FIT_OPTIONS = frozenset(TrainSettings.model_fields.keys() - _OF_A_VERSION) | _COSTS | _BEHAVIOUR | _OWN


def fit(
    log: LogSource, *, horizon_days: int | None = None, deflator: str | Path | None = None, **options: Any
) -> RetentionModel:
    """Fit churn and value models to a log of orders; nothing is written anywhere.

    The model is the one that ``stayworth train`` registers with the same settings. `training.train` returns the
    whole run: the same model with its evaluation on a test snapshot.

    Parameters
    ----------
    log : TransactionLog, pandas.DataFrame, pyarrow.Table, path or URI
    horizon_days : int, at least 1
        Days without a purchase after the snapshot that count as churn. By default what the log advises.
    deflator : str or Path, optional
        File of an index of prices (month, index): the model learns from, and values in, the money of the log's last
        month. ``discount_rate`` is then a real rate, perhaps negative.
    **options
        Fields of `TrainSettings` (``snapshots=6``, ``clv_model="mbgnbd"``, ``test_snapshot="1998-04-01"``), of
        `CostSettings` (``cost_per_order=4``; its file is ``costs="costs.toml"``), of which values are then net, of
        `BehaviourSettings` (``surveys="surveys.csv"``), which models may learn from, own features
        (``own={"basket": "avg(spend)"}``), and of the log's reading, as in
        `features.load_log` (``customer_column="Customer ID"``). Dates may be text.

    Returns
    -------
    RetentionModel
        ``model.predict(log, snapshot_date="1998-04-01")`` scores the customers of a log.

    Raises
    ------
    LogError
        If the log cannot be read or used.
    WindowError
        If it is too short for the horizon.
    FitError
        If nothing can be learnt from it.
    StayworthError
        If the deflator cannot be used, or the discount rate is negative without one.
    TypeError
        If there is no such option.
    """
    known = FIT_OPTIONS | LOG_OPTIONS
    if unknown := sorted(options.keys() - known):
        raise TypeError(unknown_option(unknown[0], known))
    of_log = {name: value for name, value in options.items() if name in LOG_OPTIONS}
    of_costs = {name: value for name, value in options.items() if name in _COSTS}
    of_behaviour = {name: value for name, value in options.items() if name in _BEHAVIOUR}
    of_own = {name: value for name, value in options.items() if name in _OWN}
    others = LOG_OPTIONS | _COSTS | _BEHAVIOUR | _OWN
    of_training = {name: value for name, value in options.items() if name not in others}
    settings = TrainSettings(horizon_days=horizon_days, **of_training)
    if "costs" in of_costs:
        of_costs["file"] = of_costs.pop("costs")
    costs = CostSettings(**of_costs)
    cost_files = costs.files()
    beside = BehaviourSettings(**of_behaviour).files(costs, read=cost_files)
    beside = OwnFeatureSettings(**of_own).added(beside)
    rules = LogRules(**{name: value for name, value in of_log.items() if name in LogRules.model_fields})
    orders = in_real_money(load_log(log, **of_log), deflator, rules)
    return train(orders, settings, costs=costs, cost_files=cost_files, beside=beside).model
