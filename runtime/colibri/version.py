"""Which Colibri this is: on the ground, for what has to know without importing the facade above it."""

__version__ = "0.1.0"
