"""Groups of settings: each field is a key of ``stayworth.toml``, a flag with its help, and maybe a variable.

A group is a pydantic model; the class declares its section of the file, and is known by it from then on::

    class TrainSettings(Settings, section="train"):
        horizon_days: Annotated[int, typer.Option("--horizon-days", help="Length of ...")] = Field(default=90, ge=1)

`features.commands.options` makes the flags of a command from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo
from typer.models import OptionInfo

CONFIG_FILE = "stayworth.toml"

SECTIONS: dict[str, type[Settings]] = {}
"""The groups that have been defined in this process, by section."""


class Settings(BaseModel):
    """A group of settings; a section of the config file if the class declares one.

    Attributes
    ----------
    section : str, empty for what several sections have in common
    moved_here : mapping of a key that other sections had in earlier releases, to the key of this one

    Raises
    ------
    TypeError
        At the definition of a class, if another one has the section.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    section: ClassVar[str] = ""
    moved_here: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, *, section: str = "", **config: Any) -> None:
        super().__init_subclass__(**config)
        cls.section = section
        if section:
            taken = SECTIONS.setdefault(section, cls)
            if (taken.__module__, taken.__qualname__) != (cls.__module__, cls.__qualname__):
                raise TypeError(
                    f"{cls.__name__} declares the section [{section}], which is {taken.__name__}'s"
                )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings that have an environment variable; the others are at their defaults.

        Raises
        ------
        pydantic.ValidationError
            If a value is not valid.
        """
        given = {key: environment[name] for key, name in cls._variables().items() if name in environment}
        return cls.model_validate(given)

    def to_environment(self) -> dict[str, str]:
        """Return the settings as variables, from which `from_environment` makes them again."""
        values = self.model_dump(mode="json")
        return {name: str(values[key]) for key, name in self._variables().items() if values[key] is not None}

    @classmethod
    def _variables(cls) -> dict[str, str]:
        """Return the environment variable of each setting that has one."""
        options = {key: option_of(field) for key, field in cls.model_fields.items()}
        return {key: str(option.envvar) for key, option in options.items() if option and option.envvar}


def option_of(field: FieldInfo) -> OptionInfo | None:
    """Return what a field says of its flag; None for a setting of the file only."""
    return next((item for item in field.metadata if isinstance(item, OptionInfo)), None)


def flag_of(option: OptionInfo) -> str:
    """Return the flag as it is typed; Typer keeps the first of an ``Annotated`` option as its default."""
    return str(option.default).split("/")[0]
