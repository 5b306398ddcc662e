"""One parallel search or walk at a time.

What is under way takes all threads anyhow, so that to wait costs no time: a click while a volume
runs would otherwise have twice as many at work as there are processors.
"""

from __future__ import annotations

from threading import Lock

#: Held by whoever runs a compiled loop in all threads (`in_threads`), and for no longer.
PARALLEL = Lock()
