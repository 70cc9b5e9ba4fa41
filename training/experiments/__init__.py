"""Past randomised experiments: uplift, Qini, and the tournament of targeting policies."""
