"""Training recipes: overlays laid over one another, and the command that a recipe stands for."""
