"""Registered versions: the registry, the gate before promotion, and the way back."""
