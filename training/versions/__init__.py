"""Registered versions: the model registry, and the history of champions."""
