"""The address of a model registry, and whether a registry answers there."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import urlopen

import sqlalchemy

from features.address import DatabaseAddress
from features.errors import ModelError
from features.language import translated

ANSWER_SECONDS = 5


@dataclass(frozen=True, repr=False)
class TrackingURI(DatabaseAddress):
    """A tracking URI as MLflow takes it.

    Parameters
    ----------
    text : str
        ``sqlite:///file.db`` (three slashes: relative to the working directory; four: absolute), the address
        of an MLflow server (``http://…``), or a database such as ``postgresql://user:password@host/name``.

    Raises
    ------
    ModelError
        If it is a SQLite URI that names no file: an in-memory registry would lose every model.

    Examples
    --------
    >>> str(TrackingURI("postgresql://ml:s3cret@db/mlflow")), str(TrackingURI("sqlite:///mlflow.db"))
    ('postgresql://ml:***@db/mlflow', 'sqlite:///mlflow.db')
    """

    def __post_init__(self) -> None:
        if self.kind == "sqlite" and self.sqlite_file is None:
            raise ModelError(
                translated(
                    "{given} names no file. Write the registry as sqlite:///mlflow.db, for example.",
                    given=self.text,
                )
            )

    @property
    def for_mlflow(self) -> str:
        """The URI from the root on, by which MLflow does not mistake one file for another.

        It keeps a store for each text that it was given: where the working directory is another meanwhile, as in a
        notebook, ``sqlite:///mlflow.db`` would go on being the file in the former one.
        """
        return self.text if self.sqlite_file is None else f"sqlite:///{self.sqlite_file}"

    def page(self, model: str, version: str) -> str | None:
        """Return where a browser shows a registered version, without a password; None where no server runs.

        Examples
        --------
        >>> TrackingURI("http://ml:s3cret@mlflow:5000/").page("stayworth", "3")
        'http://mlflow:5000/#/models/stayworth/versions/3'
        """
        if not self.text.startswith(("http:", "https:")):
            return None
        parts = urlsplit(self.text)
        address = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))
        return f"{address}/#/models/{model}/versions/{version}"

    def require_answer(self) -> None:
        """Raise soon where a server or a database does not answer: MLflow would retry for minutes.

        Raises
        ------
        OSError, SQLAlchemyError
            If there is no answer within `ANSWER_SECONDS`.
        """
        if self.text.startswith(("http:", "https:")):
            self._require_http_answer()
        elif self.sqlite_file is None:
            limit = {"connect_timeout": ANSWER_SECONDS} if self.text.startswith("postgresql") else {}
            engine = sqlalchemy.create_engine(self.text, connect_args=limit)
            try:
                engine.connect().close()
            finally:
                engine.dispose()

    def _require_http_answer(self) -> None:
        """Request the server's health; any HTTP answer passes, for a gateway may refuse this path."""
        parts = urlsplit(self.text)
        address = urlunsplit(
            (parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/") + "/health", "", "")
        )
        try:
            urlopen(address, timeout=ANSWER_SECONDS).close()
        except HTTPError:
            pass
        except HTTPException as error:
            raise OSError(
                translated("{kind}: no answer as a server of MLflow gives", kind=type(error).__name__)
            ) from None
        except URLError as error:
            if not isinstance(error.reason, ssl.SSLError):  # certificates are a setting of MLflow's
                raise
