"""Money: offers and their economics, allocation, experiments and what they teach, policies on trial."""
