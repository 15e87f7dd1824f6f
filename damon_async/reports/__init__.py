"""Pure functions from records to tables, text and pictures."""
