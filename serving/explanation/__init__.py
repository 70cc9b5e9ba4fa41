"""Why a customer has their score, what an offer would earn with them, and what would change the decision."""
