"""How often customers buy, what they spend, what they are worth: BG/NBD and its relatives, Gamma-Gamma, value."""
