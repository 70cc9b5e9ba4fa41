"""Labelled snapshots: customers at many dates with the outcomes of the churn window, read nowhere else."""
