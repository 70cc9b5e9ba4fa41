"""Alerts: which customers, and which missed targets, somebody should look at today, and what to offer."""
