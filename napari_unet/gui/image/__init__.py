"""Which image, what of it models see, and where it lies on screen."""
