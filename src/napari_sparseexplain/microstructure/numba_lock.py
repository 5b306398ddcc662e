"""One parallel search or walk at a time.

Of numba's threading layers the one that is always there, workqueue, ends the process where two
threads enter parallel loops at once: a click while a volume runs. What is under way takes all
threads anyhow, so that to wait costs no time.
"""

from __future__ import annotations

from threading import Lock

#: Held by whoever runs a numba function with ``parallel=True``, and for no longer.
PARALLEL = Lock()
