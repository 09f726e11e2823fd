"""A training run's output folder: its logs, its completions scored again, its plots."""
