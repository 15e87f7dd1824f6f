"""Synthetic memory behind the pids of real processes."""
