"""What a run of scoring publishes and the service looks up, and the keys that may ask: SQLite or PostgreSQL."""
