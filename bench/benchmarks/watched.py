"""Run a command and tell what it took, as one line of JSON: `python watched.py COMMAND...`.

peak_bytes is ru_maxrss: the largest resident set of that process, with the interpreter and every library in it and
nothing subtracted. This small process stands between because Linux lets a process begin with the peak of the one that
started it: started by a large one, it would count as large.
"""

from __future__ import annotations

import json
import os
import sys
import time

begin = time.perf_counter()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
cost = {
    "seconds": time.perf_counter() - begin,
    "cpu_s": usage.ru_utime + usage.ru_stime,
    "peak_bytes": usage.ru_maxrss * 1024,
}
os.write(1, f"{json.dumps(cost)}\n".encode())
sys.exit(os.waitstatus_to_exitcode(status))
