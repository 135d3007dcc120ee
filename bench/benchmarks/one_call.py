"""Import a function, say so, wait for a line, call it once: `python one_call.py MODULE FUNCTION ARGUMENTS`.

ARGUMENTS is a JSON list; texts in it are paths.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path

function = getattr(import_module(sys.argv[1]), sys.argv[2])
arguments = [Path(value) if isinstance(value, str) else value for value in json.loads(sys.argv[3])]
os.write(1, b"ready\n")
if sys.stdin.readline():  # else who waits for it has gone
    function(*arguments)
    os.write(1, b"done\n")
