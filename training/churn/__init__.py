"""Who stays silent, and what the others spend: LightGBM on top of BG/NBD, its recipe chosen out of time."""
