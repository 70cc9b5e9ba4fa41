"""Database engines that run the SQL of the features, and the choice among them."""
