"""Logs to try the software on: CDNOW, UCI Online Retail II, and simulated ones."""

from features.datasets.public_logs import cdnow, cdnow_sample, online_retail_from_workbook
from features.datasets.simulator import SimulatedLog, simulate_log
from features.datasets.worlds import WORLDS, SimulatedWorld, World, simulate_world

__all__ = [
    "WORLDS",
    "SimulatedLog",
    "SimulatedWorld",
    "World",
    "cdnow",
    "cdnow_sample",
    "online_retail_from_workbook",
    "simulate_log",
    "simulate_world",
]
