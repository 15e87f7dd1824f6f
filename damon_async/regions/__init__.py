"""The table of regions, and the adaptive adjustment of it."""
