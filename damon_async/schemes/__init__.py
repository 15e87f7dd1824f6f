"""DAMOS without I/O: which memory each scheme asks to act on, and how much of it."""
