"""What we learn from the feature table, and how we judge it: churn, value, evaluation, registry."""

import os

# An idle OpenMP thread sleeps instead of spinning: on a busy machine of two CPUs that is ten times faster.
# It must be set before LightGBM is imported, so here.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
