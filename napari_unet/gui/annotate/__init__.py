"""What the user labels: scribbles, classes, and what is kept of them."""
