"""What a data set holds: rows, images, and the annotated boxes in a row's `solution`."""
