"""One reader for each form in which annotations come: see `registry` for how to add one."""
