"""Delivery to other systems: signed messages to a webhook, none lost, each at least once."""
