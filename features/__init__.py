"""What we know of customers at a date: the log, its validation, snapshots and the feature table."""
