"""The control trees: DAMON's interface of one value per file, on the engine."""
