"""The files of one registered version: ``model.json``, three LightGBM texts and ``example.json``, without pickle.

They hold no customer data: parameters, boosters, the record of the training run and the scores of invented
customers (`training.model.self_check`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from features.errors import ModelError
from features.language import translated
from features.table.own import require_own
from training.churn.base import AS_SAID, Base
from training.churn.booster import Booster
from training.churn.calibration import Calibrator
from training.churn.frequency import Frequency
from training.churn.inputs import CHURN_FEATURES, ORDERS_ALONE, Inputs
from training.churn.level import Level
from training.churn.model import ChurnModel
from training.churn.price import Price
from training.churn.spend import SpendModel
from training.clv.customer_costs import OwnCosts
from training.clv.later_purchases import LaterPurchases
from training.clv.model import CLVModel
from training.clv.value import ValueTerms
from training.model.card import TrainingCard
from training.model.retention_model import RetentionModel
from training.model.self_check import write_example
from training.model.tiers import Tiers

FORMAT = 8
_BOOSTERS = ("booster.txt", "frequency.txt", "price.txt")
_LEARNERS = ("churn", "frequency", "price")
_FORMER_SHARES = (20, 30, 50)


def save_model(model: RetentionModel, folder: Path) -> None:
    """Write ``model.json``, three boosters and ``example.json`` into a folder, which is created if missing."""
    folder.mkdir(parents=True, exist_ok=True)
    spend = model.spend or SpendModel()
    boosters = model.churn.booster, spend.frequency.booster, spend.price.booster
    for file, booster in zip(_BOOSTERS, boosters, strict=True):
        (folder / file).write_text(booster.text if booster else "", encoding="utf-8")
    content = {
        "format": FORMAT,
        "sha256": {file: _sha256(folder / file) for file in _BOOSTERS},
        "features": list(CHURN_FEATURES),
        "calibrator": model.churn.calibrator.to_dict(),
        "level": model.churn.level.to_dict(),
        "base_mean": model.churn.base_mean,
        "base": model.churn.base.to_dict(),
        "clv": model.clv.to_dict(),
        "spend": None
        if model.spend is None
        else {
            "frequency": spend.frequency.to_dict(),
            "price_level": spend.price.level.to_dict(),
            "level_deviation": spend.level_deviation,
            "later": spend.later.to_dict(),
        },
        "terms": asdict(model.terms),
        "tiers": model.tiers.to_dict(),
        "usual_gap_days": model.usual_gap_days,
        "card": model.card.to_dict(),
    }
    if model.own_costs:
        content["own_costs"] = model.own_costs.to_dict()
    inputs = (model.churn.inputs, spend.frequency.inputs, spend.price.inputs)
    if any(each.beside for each in inputs):
        content["files"] = {
            **{name: each.to_dict() for name, each in zip(_LEARNERS, inputs, strict=True)},
            "kinds": dict(model.kinds),
            "own": dict(model.own),
        }
    (folder / "model.json").write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
    write_example(model, folder)


def load_model(folder: Path, called: str | None = None) -> RetentionModel:
    """Read what `save_model` wrote.

    Parameters
    ----------
    folder : Path
    called : str, optional
        Name of the model in errors; by default its folder.

    Raises
    ------
    ModelError
        If a file is missing or damaged, or belongs to another release.
    """
    called = called or translated("The model in {folder}", folder=folder)
    try:
        content = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        if content["format"] != FORMAT or tuple(content["features"]) != CHURN_FEATURES:
            raise ModelError(
                translated(
                    "{called} was trained by another release of stayworth, or on other features. Train it "
                    "again: stayworth train --transactions orders.csv --promote",
                    called=called,
                )
            )
        boosters = [_booster(folder / file, content["sha256"][file]) for file in _BOOSTERS]
        calibrator = Calibrator.from_dict(content["calibrator"])
        of_files = content.get("files", {})
        inputs = [Inputs.from_dict(of_files[name]) if of_files else ORDERS_ALONE for name in _LEARNERS]
        churn = ChurnModel(
            boosters[0],
            calibrator,
            Level.from_dict(content["level"]),
            content["base_mean"],
            inputs[0],
            Base.from_dict(content.get("base", AS_SAID.to_dict())),
        )
        # Releases without costs kept no inactivity window: it is what training takes by default.
        until_dormant = {"inactivity_days": content["card"]["dormant_after_days"]}
        clv, terms = CLVModel.from_dict(content["clv"]), ValueTerms(**(until_dormant | content["terms"]))
        spend = None
        if content["spend"] is not None:
            line, price_level = (
                content["spend"]["frequency"],
                Level.from_dict(content["spend"]["price_level"]),
            )
            frequency = Frequency(**line, booster=boosters[1], inputs=inputs[1])
            price = Price(price_level, boosters[2], inputs[2])
            later = LaterPurchases.from_dict(content["spend"]["later"])
            spend = SpendModel(frequency, price, content["spend"]["level_deviation"], later)
        card = TrainingCard.from_dict(content["card"], calibrator)
        own = OwnCosts.from_dict(content["own_costs"]) if "own_costs" in content else None
        usual = content.get("usual_gap_days")
        kinds, expressions = of_files.get("kinds", {}), of_files.get("own", {})
        require_own(expressions)
        return RetentionModel(churn, clv, terms, _tiers(content), card, spend, usual, own, kinds, expressions)
    except ModelError:
        raise
    except (OSError, LookupError, AttributeError, TypeError, ValueError) as error:
        raise ModelError(
            translated(
                "{called} cannot be read: {error}. Train it again, or roll back.", called=called, error=error
            )
        ) from error


def _tiers(content: dict[str, Any]) -> Tiers:
    """Read the limits of the tiers; releases with one scheme kept them alone."""
    if "tier_cuts" in content:
        return Tiers(tuple(content["tier_cuts"]), shares=_FORMER_SHARES)
    return Tiers.from_dict(content["tiers"])


def _booster(file: Path, digest: str) -> Booster | None:
    """Read a booster if its file is unchanged: LightGBM would crash the process on a truncated text."""
    if _sha256(file) != digest:
        raise ValueError(translated("{name} was changed since it was saved", name=file.name))
    text = file.read_text(encoding="utf-8")
    return Booster(text) if text else None


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
