"""The address of a model registry: which kind it is, and how it may be shown."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import urlopen

import sqlalchemy
from sqlalchemy.engine import make_url

from features.errors import ModelError

ANSWER_SECONDS = 5


@dataclass(frozen=True)
class TrackingURI:
    """A tracking URI as MLflow takes it.

    Parameters
    ----------
    text : str
        ``sqlite:///file.db`` (three slashes: relative to the working directory; four: absolute), the address
        of an MLflow server (``http://…``), or a database such as ``postgresql://user:password@host/name``.

    Raises
    ------
    ModelError
        If it is a SQLite URI that names no file: an in-memory registry would forget every model.

    Examples
    --------
    >>> str(TrackingURI("postgresql://ml:s3cret@db/mlflow")), str(TrackingURI("sqlite:///mlflow.db"))
    ('postgresql://ml:***@db/mlflow', 'sqlite:///mlflow.db')
    """

    text: str

    def __post_init__(self) -> None:
        if self.text.startswith("sqlite:") and make_url(self.text).database in (None, "", ":memory:"):
            raise ModelError(
                f"{self.text} names no file. Write the registry as sqlite:///mlflow.db, for example."
            )

    def __str__(self) -> str:
        return self.redact(self.text)

    def __repr__(self) -> str:
        return f"TrackingURI({str(self)!r})"

    @cached_property
    def sqlite_file(self) -> Path | None:
        """The registry's file, or None for any other kind of registry."""
        if not self.text.startswith("sqlite:"):
            return None
        return Path(str(make_url(self.text).database)).absolute()

    def redact(self, message: str) -> str:
        """Return the message with this URI's passwords masked, as written and as decoded."""
        parts = urlsplit(self.text)
        written = [parts.password, *re.findall(r"password=([^&]+)", parts.query)]
        secrets = {form for text in written if text for form in (text, unquote(text))}
        for secret in sorted(secrets, key=len, reverse=True):
            message = message.replace(secret, "***")
        return message

    def require_answer(self) -> None:
        """Fail soon where a server or a database does not answer: MLflow would try for minutes, in silence.

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
        """Ask for the server's health; any answer will do, for one behind a gateway may not tell."""
        parts = urlsplit(self.text)
        address = urlunsplit(
            (parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/") + "/health", "", "")
        )
        try:
            urlopen(address, timeout=ANSWER_SECONDS).close()
        except HTTPError:
            pass
        except HTTPException as error:
            raise OSError(f"{type(error).__name__}: no answer as a server of MLflow gives") from None
        except URLError as error:
            if not isinstance(error.reason, ssl.SSLError):  # whom to trust is told to MLflow, not to us
                raise
