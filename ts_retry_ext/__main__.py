"""``python -m ts_retry_ext``: the same as ``ts-retry``."""

from __future__ import annotations

import sys

from ts_retry_ext.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
