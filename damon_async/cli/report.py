"""`damon-async report`: the group of commands that show what a record holds."""

from __future__ import annotations

from cyclopts import App

from .report_access import access
from .report_accuracy import accuracy
from .report_damon import damon
from .report_heatmap import heatmap
from .report_tables import nr_regions, record_info, wss


def report_app() -> App:
    """Make the group of reports."""
    app = App(name="report", help="Show what a record holds.")
    for command in (access, accuracy, damon, heatmap, nr_regions, record_info, wss):
        # Named by hand: a group of its own does not inherit how names are made.
        app.command(command, name=command.__name__)
    return app
