"""The only room that waits: clocks, admission gate, kdamond tasks."""
