"""COCO annotations and results: read, checked, and as columns."""
