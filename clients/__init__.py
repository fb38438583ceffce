"""Clients that measure: one mode, one scenario, one log."""
