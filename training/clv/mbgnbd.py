"""MBG/NBD: BG/NBD in which a customer may also leave right after the first purchase.

So one-time buyers may have left too, and P(alive) means something for them. A living customer has survived
x + 1 occasions to leave: B = b + x + 1; everything else is as in ``bgnbd.py``.

References
----------
Batislam, Denizel, Filiztekin (2007), International Journal of Research in Marketing 24(3), 201-209;
Wagner, Hoppe (2008), Erratum on the MBG/NBD Model, 25(3), 225-226.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from training.clv.bgnbd import BGNBD
from training.clv.quadrature import FloatArray


@dataclass(frozen=True)
class MBGNBD(BGNBD):
    """The MBG/NBD model of purchases; parameters and methods are those of `BGNBD`.

    Examples
    --------
    A one-time buyer of 38.86 weeks ago has probably left:

    >>> model = MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614)
    >>> model.p_alive(np.array([0.0]), np.array([0.0]), np.array([38.86])).round(3)
    array([0.39])
    """

    name: ClassVar[str] = "mbgnbd"
    title: ClassVar[str] = "MBG/NBD"

    def _beta_b(self, x: FloatArray) -> FloatArray:
        return self.b + x + 1.0

    def _may_have_left(self, x: FloatArray) -> npt.NDArray[np.bool_]:
        return np.ones_like(x, dtype=bool)


MODEL = MBGNBD
