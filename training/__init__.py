"""What we learn from the feature table, and how we judge it: churn, value, evaluation, registry.

The public names are imported from here::

    model = training.fit("orders.csv", horizon_days=90)
    scores = model.predict("orders.csv", snapshot_date="1998-04-01")
"""

import os
from typing import TYPE_CHECKING

from features.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from training import report as report
    from training.campaign.assignment import read_assignment as read_assignment
    from training.campaign.measurement import measure as measure
    from training.campaign.plan import plan as plan
    from training.campaign.settings import PlanTerms as PlanTerms
    from training.estimator import fit as fit
    from training.judging.race import winner as winner
    from training.metrics.money import decile_table as decile_table
    from training.model.retention_model import RetentionModel as RetentionModel
    from training.offers.offer_files import read_offers as read_offers
    from training.offers.offers import BetaPrior as BetaPrior, Offer as Offer
    from training.pipeline import train as train
    from training.registration import register as register
    from training.run import TrainingRun as TrainingRun
    from training.settings import RegistrySettings as RegistrySettings, TrainSettings as TrainSettings
    from training.snapshots.dataset import labelled_snapshots as labelled_snapshots
    from training.versions.registry import Registry as Registry, load_champion as load_champion

# An idle OpenMP thread sleeps instead of spinning: on a busy machine of two CPUs that is ten times faster.
# It must be set before LightGBM is imported, so here.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_EXPORTS = {
    "campaign.assignment": "read_assignment",
    "campaign.measurement": "measure",
    "campaign.plan": "plan",
    "campaign.settings": "PlanTerms",
    "estimator": "fit",
    "judging.race": "winner",
    "metrics.money": "decile_table",
    "model.retention_model": "RetentionModel",
    "offers.offer_files": "read_offers",
    "offers.offers": "BetaPrior Offer",
    "pipeline": "train",
    "registration": "register",
    "report": "report",
    "run": "TrainingRun",
    "settings": "RegistrySettings TrainSettings",
    "snapshots.dataset": "labelled_snapshots",
    "versions.registry": "Registry load_champion",
}
__getattr__, __dir__, __all__ = lazy_exports(__name__, _EXPORTS)
