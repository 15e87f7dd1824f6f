"""DAMON_RECLAIM, DAMON_LRU_SORT and DAMON_STAT as presets of an engine."""
