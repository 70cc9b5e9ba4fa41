"""What every command shares: options and the config file, messages, progress, tables."""
