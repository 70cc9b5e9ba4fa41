"""``python -m features`` is ``stayworth features``."""

from features.cli import app

app(prog_name="python -m features")
