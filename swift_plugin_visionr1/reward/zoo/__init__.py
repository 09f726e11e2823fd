"""The rewards of other published works, by their own definitions, one file each; `peers` makes
presets of them."""
