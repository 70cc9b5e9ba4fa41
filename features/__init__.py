"""What we know of customers at a date: the log, its validation, snapshots and the feature table.

The public names are imported from here: ``from features import load_log, PurchaseHistory``.
"""

from typing import TYPE_CHECKING

from features.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from features.datasets import (
        cdnow as cdnow,
        cdnow_sample as cdnow_sample,
        online_retail_from_workbook as online_retail_from_workbook,
        simulate_log as simulate_log,
    )
    from features.errors import (
        FitError as FitError,
        LogError as LogError,
        ModelError as ModelError,
        StayworthError as StayworthError,
        WindowError as WindowError,
    )
    from features.log.loading import load_log as load_log
    from features.log.settings import Columns as Columns, LogRules as LogRules
    from features.log.sources import read_log as read_log
    from features.log.transactions import TransactionLog as TransactionLog
    from features.log.validation import validate as validate
    from features.snapshot import Snapshot as Snapshot
    from features.table.history import FEATURES as FEATURES, PurchaseHistory as PurchaseHistory

_EXPORTS = {
    "datasets": "cdnow cdnow_sample online_retail_from_workbook simulate_log",
    "errors": "FitError LogError ModelError StayworthError WindowError",
    "log.loading": "load_log",
    "log.settings": "Columns LogRules",
    "log.sources": "read_log",
    "log.transactions": "TransactionLog",
    "log.validation": "validate",
    "snapshot": "Snapshot",
    "table.history": "FEATURES PurchaseHistory",
}
__getattr__, __dir__, __all__ = lazy_exports(__name__, _EXPORTS)
