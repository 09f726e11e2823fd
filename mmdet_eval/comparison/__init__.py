"""Several evaluations side by side, with intervals."""
