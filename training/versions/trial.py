"""A version tried in a process of its own before a service reads it.

LightGBM parses its texts in C++: some that are damaged and yet consistent end the process that reads them, and others
are never read to their end. What happens to the child does not happen to the service.
"""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

from features.errors import ModelError
from training.versions.version import MODEL_NAME
from training.versions.version_files import read_version

TRIAL_SECONDS = 120
"""Reading a version and scoring its example takes seconds; most of them are for imports."""


def try_version(folder: Path, version: str, seconds: float = TRIAL_SECONDS) -> None:
    """Read a version's files and score its example in a child process.

    Raises
    ------
    ModelError
        As `read_version`, or if the child crashes or takes longer than the limit.
    """
    # -P: a folder of the caller's that is called training is not to be imported.
    command = [sys.executable, "-P", "-m", "training.versions.trial", str(folder), version]
    called = f"Version {version} of {MODEL_NAME}"
    remedy = "Its files are damaged. Train it again, or roll back."
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=seconds)
    except subprocess.TimeoutExpired:
        raise ModelError(f"{called} was not read within {seconds:g} seconds. {remedy}") from None
    if done.returncode == ModelError.exit_code:
        raise ModelError(done.stderr.strip())
    if done.returncode < 0:
        raise ModelError(
            f"{called} ends a process that reads it ({signal.Signals(-done.returncode).name}). {remedy}"
        )
    if done.returncode:
        raise ModelError(
            f"{called} cannot be read: {done.stderr.strip().rpartition(chr(10))[2][:300]}. {remedy}"
        )


def _main(folder: str, version: str) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (TRIAL_SECONDS, TRIAL_SECONDS))  # should the parent be gone
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        read_version(Path(folder), version)
    except ModelError as error:
        sys.stderr.write(str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
