"""Behaviour beyond orders: what touches, surveys, receivables and attributes say of customers at a snapshot."""
