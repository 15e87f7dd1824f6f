"""Our own proof under concurrency: scenarios, faults beside siblings, a model of the gate."""
