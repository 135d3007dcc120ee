"""Loaded by tox itself. Lets Ctrl-C end a run in good order where tox had to fetch tox-uv first.

Then the tox that was called only waits for the one that it fetched. Ctrl-C reaches both and the
program inside; the one that waits would leave at once, and take the output of the others with it.
"""

import signal
from importlib.util import find_spec

if find_spec("tox_uv") is None:
    signal.signal(signal.SIGINT, lambda *_: None)  # not SIG_IGN, which the processes inside would inherit
