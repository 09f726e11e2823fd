"""Compares several evaluations side by side, with intervals."""
