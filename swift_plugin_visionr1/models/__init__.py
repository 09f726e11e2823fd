"""Which model writes which format in which frame, by its model type or checkpoint."""
