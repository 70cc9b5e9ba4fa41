"""Public names of a package that are imported when they are first asked for.

Importing a package then costs nothing, whatever its names need: ``import serving.client`` loads neither pandas
nor a model. A package repeats the imports under ``if TYPE_CHECKING``, where mypy and editors find them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_exports(
    package: str, exports: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return a package's ``__getattr__``, ``__dir__`` and ``__all__`` (PEP 562).

    Parameters
    ----------
    package : str
    exports : mapping
        Module, below the package, to its public names, separated by blanks. A name that is the module's own
        means the module.

    Raises
    ------
    AttributeError
        From ``__getattr__``, if a name is not among them.
    """
    homes = {name: module for module, names in exports.items() for name in names.split()}

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(f"{package}.{homes[name]}")
        return module if name == homes[name] else getattr(module, name)

    return get, lambda: sorted(homes), sorted(homes)
