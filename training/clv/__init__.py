"""Customer lifetime value: models of purchases (BG/NBD and its relatives) and of spend (Gamma-Gamma), and value."""

from typing import Literal

PurchaseModelName = Literal["bgnbd", "mbgnbd", "paretonbd"]
"""Each is a module of this package, whose ``MODEL`` is the class that implements it."""
