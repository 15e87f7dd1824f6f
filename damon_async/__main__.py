"""``python -m damon_async`` is the command ``damon-async``."""

from __future__ import annotations

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
