"""Plot of the advice on the churn window: survival of silences, and errors by window."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from features.errors import OutputError
from features.files import atomic_path
from training.report.plots import COLOURS
from training.window.advice import Advice, span

FORMATS = (".png", ".svg", ".pdf")


def advice_plot(advice: Advice) -> Figure:
    """Draw the share of customers still silent by day, and late returns and false churn by window."""
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    silent, wrong = figure.subplots(1, 2)
    _silent(silent, advice)
    _wrong(wrong, advice)
    for axes in (silent, wrong):
        axes.set(xlim=(0, advice.reach_days), ylim=(0, 1), xlabel="days of silence")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.spines[["top", "right"]].set_visible(False)
        for days, name, style in (
            (advice.window_days, "window", "-"),
            (advice.horizon_days, "horizon", ":"),
        ):
            axes.axvline(days, color="#888888", linewidth=1, linestyle=style, label=f"{name}: {days} days")
        axes.legend(frameon=False, fontsize="small", loc="upper right")
    return figure


def _silent(axes: Axes, advice: Advice) -> None:
    axes.set_title("How long after a purchase customers stay silent")
    axes.set_ylabel("silent for longer")
    axes.plot(advice.silent, color=COLOURS[0], label="each customer once")
    axes.plot(advice.silent_per_silence, color=COLOURS[1], linestyle="--", label="each purchase once")


def _wrong(axes: Axes, advice: Advice) -> None:
    axes.set_title("What a window gets wrong")
    axes.set_ylabel("share of customers")
    days = [window.days for window in advice.windows]
    axes.plot(
        days,
        [window.late_returns for window in advice.windows],
        color=COLOURS[0],
        marker="o",
        markersize=4,
        label=f"of those who return in {span(advice.reach_days)}, come later",
    )
    known = [(window.days, rate) for window in advice.windows if (rate := window.false_churn)]
    axes.errorbar(
        [days for days, _ in known],
        [rate.value for _, rate in known],
        yerr=[[r.value - r.low for _, r in known], [r.high - r.value for _, r in known]],
        color=COLOURS[1],
        marker="o",
        markersize=4,
        label="of those silent so long, come back",
    )


def write_plot(advice: Advice, path: Path) -> None:
    """Write the plot to a PNG, SVG or PDF file, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written, or its extension is no picture format.
    """
    require_format(path)
    with atomic_path(path) as beside:
        advice_plot(advice).savefig(beside, dpi=150)


def require_format(path: Path) -> None:
    """Refuse a file name whose extension is no picture format."""
    if path.suffix.lower() not in FORMATS:
        raise OutputError(f"Cannot write {path}: a picture is a file ending in {', '.join(FORMATS)}.")
