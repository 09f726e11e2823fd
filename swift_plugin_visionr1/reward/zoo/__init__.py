"""The rewards of other published works, by their own definitions, one file each. `peers` makes
presets of those that score boxes; the others are here to be compared with."""
