"""Files that a browser sends: read whole from the wire within a limit, and put where the readers of files find them."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from features.errors import StayworthError
from features.language import translated
from features.temporary import temporary_folder
from serving.workbench.visit import Visit
from serving.workbench.wording import of_the_log

LARGEST_UPLOAD = 32 << 20
_READ_AND_DROPPED = 1 << 30
_LONGEST_NAME = 80


async def read_upload(request: Request) -> FormData:
    """Return the fields and files of a form.

    What is too large is read to its end all the same: of a connection that is cut, a browser shows no sentence.

    Raises
    ------
    HTTPException
        413 if it is too large, 400 if it is no form.
    """
    received = 0

    async def parts() -> AsyncGenerator[bytes, None]:
        nonlocal received
        async for part in request.stream():
            received += len(part)
            if received > _READ_AND_DROPPED:
                raise HTTPException(413)
            if received <= LARGEST_UPLOAD:
                yield part
        if received > LARGEST_UPLOAD:
            raise MultiPartException("too large")  # the parser closes what it has begun

    try:
        form = await MultiPartParser(request.headers, parts(), max_files=2, max_fields=50).parse()
    except (MultiPartException, KeyError):
        form = FormData()
    if received > LARGEST_UPLOAD:
        raise HTTPException(413)
    return form


class Matching(TypedDict):
    """How ids of a file are matched, as in `features.log.matching`."""

    loosely: bool
    allow_unmatched: None
    flag: str


def matching(visit: Visit) -> Matching:
    """Return how the ids of a file that was sent are matched: as its form says, and with the form's own words."""
    label = translated("match ids that a spreadsheet has changed")
    return {
        "loosely": visit.sent("loosely") == "1",
        "allow_unmatched": None,
        "flag": translated("A tick at “{label}”", label=label),
    }


def has_file(visit: Visit, name: str) -> bool:
    """Tell whether a file was sent in a field."""
    sent = visit.form.get(name)
    return isinstance(sent, UploadFile) and bool(sent.filename)


@contextmanager
def uploaded(visit: Visit, name: str) -> Iterator[Path]:
    """Yield a file that was sent, under its own name in a folder of its own, which is removed in the end.

    Raises
    ------
    StayworthError
        If none was sent; and those of the readers of files, without the folder.
    """
    sent = visit.form.get(name)
    if not isinstance(sent, UploadFile) or not sent.filename:
        raise StayworthError(translated("Choose a file first."))
    plain = re.sub(r"[^\w.\- ()]+", "_", Path(sent.filename.replace("\\", "/")).name)[-_LONGEST_NAME:]
    with temporary_folder() as folder:
        path = folder / (plain.lstrip(".") or "file.csv")
        sent.file.seek(0)
        with path.open("wb") as file:
            shutil.copyfileobj(sent.file, file)
        try:
            yield path
        except StayworthError as error:
            raise StayworthError(of_the_log(str(error).replace(f"{folder}/", ""))) from None
