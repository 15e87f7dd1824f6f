"""Synthetic memory as a function of time."""
