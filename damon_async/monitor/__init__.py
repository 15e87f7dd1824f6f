"""One context, monitored without I/O: time comes in, snapshots come out."""
