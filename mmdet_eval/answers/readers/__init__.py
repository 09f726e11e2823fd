"""Prediction files: one module per kind, told apart by content."""

from .kinds import read_predictions
from .lines import read_rows

__all__ = ["read_predictions", "read_rows"]
