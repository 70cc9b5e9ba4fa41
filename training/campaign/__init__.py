"""A campaign: planned, drawn with a holdout, read back and measured."""
