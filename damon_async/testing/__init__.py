"""Tools for tests under concurrency: virtual time, explored schedules, faults."""
