"""Pictures and pages about a training run: plots, the model card."""

from typing import TYPE_CHECKING

from features.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from training.report.card import model_card as model_card
    from training.report.card_plots import heatmap as heatmap, tracking as tracking
    from training.report.frequency_recency_grid import frequency_recency as frequency_recency
    from training.report.plots import calibration_plot as calibration_plot, gain_plot as gain_plot
    from training.report.purchase_tracking import weekly_purchases as weekly_purchases

_EXPORTS = {
    "card": "model_card",
    "card_plots": "heatmap tracking",
    "frequency_recency_grid": "frequency_recency",
    "plots": "calibration_plot gain_plot",
    "purchase_tracking": "weekly_purchases",
}
__getattr__, __dir__, __all__ = lazy_exports(__name__, _EXPORTS)
