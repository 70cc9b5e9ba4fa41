"""How often customers buy, what they spend, what they are worth: BG/NBD and its relatives, Gamma-Gamma, value."""

from typing import Literal

PurchaseModelName = Literal["bgnbd", "mbgnbd", "paretonbd"]
"""Each is a module of this package, whose ``MODEL`` is the class that implements it."""
