"""Objects that the user corrects, and regions that are accepted."""
