"""Runs any command where DAMON's files are ours: namespaces, stand-ins, one engine."""
