"""``python -m training`` is ``stayworth train``."""

from training.cli import app

app(prog_name="python -m training")
