"""From Predict to the layers on screen."""
