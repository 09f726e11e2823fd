"""The commands of `mmdet-eval`, one per file."""
