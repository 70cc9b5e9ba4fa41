"""The log of orders: read from anywhere, validated, every row accounted for."""
