"""``python -m features`` is ``stayworth features``."""

from features.commands.features import app

app(prog_name="python -m features")
