"""Logs to try the software on: CDNOW, UCI Online Retail II, and simulated ones."""

from features.datasets.businesses import BUSINESSES, Business
from features.datasets.public_logs import cdnow, cdnow_sample, online_retail_from_workbook
from features.datasets.simulated_world import SimulatedWorld
from features.datasets.simulator import SimulatedLog, simulate_log
from features.datasets.worlds import WORLDS, World, simulate_world

__all__ = [
    "BUSINESSES",
    "WORLDS",
    "Business",
    "SimulatedLog",
    "SimulatedWorld",
    "World",
    "cdnow",
    "cdnow_sample",
    "online_retail_from_workbook",
    "simulate_log",
    "simulate_world",
]
