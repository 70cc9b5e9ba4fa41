"""The model card and its pictures."""
