"""The dock "Model explorer": what is inside a net."""
