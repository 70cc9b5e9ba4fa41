"""Past randomised experiments: uplift models, Qini curves, and the comparison of targeting policies."""
