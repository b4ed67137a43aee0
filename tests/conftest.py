"""What every test starts from."""

from __future__ import annotations

import os
import signal

# A developer's own settings are no part of what is tested, in this process or in the servers it starts.
for name in [name for name in os.environ if name.startswith("TS_")]:
    del os.environ[name]
for name in ("LOG_LOCATION", "METRICS_LOCATION"):
    os.environ.pop(name, None)

# A shell that runs the tests in the background has them ignore Ctrl-C, and what they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)
