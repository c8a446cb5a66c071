"""Training while the user paints, and what is seen of it."""
