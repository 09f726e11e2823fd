"""Boxes, coordinate frames, and the size at which each model sees an image."""
