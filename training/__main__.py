"""``python -m training`` is ``stayworth train``."""

from training.commands.train import app

app(prog_name="python -m training")
