"""`python -m bench`: the same as `orchbench`."""

from bench.cli import main

main()
