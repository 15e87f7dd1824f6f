"""Snapshots, series of them, and the files that hold them."""
