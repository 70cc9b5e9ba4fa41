"""Scored lists: written for people and other systems, joined with contacts."""
