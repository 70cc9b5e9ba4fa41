"""The feature table: every customer as a snapshot sees them, built by SQL over purchase days."""
