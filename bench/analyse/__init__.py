"""From raw observations to figures: estimates, fits, comparisons, and rules that a result must keep."""
