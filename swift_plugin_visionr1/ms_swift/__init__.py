"""Everything that touches ms-swift: rewards, callbacks, data sets, and how they are registered."""
