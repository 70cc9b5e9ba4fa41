"""Retention campaigns: plan, holdout, record, assignment and measurement."""
