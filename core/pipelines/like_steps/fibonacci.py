"""Work of a known size for synthetic steps."""

from __future__ import annotations


def fibonacci(n: int) -> int:
    """The n-th Fibonacci number, naively: the work is the point."""
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)
