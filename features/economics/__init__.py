"""Customer economics: what customers cost and bring, as facts of a log and of optional files at a date.

Every number is an aggregate over the purchase-day table (`features.table.purchase_days`), computed in SQL from
exact integers, so that neither the order of the rows nor the number of threads changes one.
"""

from typing import TYPE_CHECKING

from features.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from features.economics.cost_table import CostTable as CostTable
    from features.economics.facts import Facts as Facts
    from features.economics.inputs import CostInputs as CostInputs, Inputs as Inputs
    from features.economics.periods import Periods as Periods
    from features.economics.report import build_report as build_report
    from features.economics.touches import Touches as Touches

_EXPORTS = {
    "cost_table": "CostTable",
    "facts": "Facts",
    "inputs": "CostInputs Inputs",
    "periods": "Periods",
    "report": "build_report",
    "touches": "Touches",
}
__getattr__, __dir__, __all__ = lazy_exports(__name__, _EXPORTS)
