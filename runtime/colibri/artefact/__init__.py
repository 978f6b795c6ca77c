"""Finding a model and reading what is true of it."""
