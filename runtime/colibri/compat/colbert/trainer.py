"""Training, which Colibri does not do."""

from colibri.compat.not_here import absent

Trainer = absent(
    "Trainer",
    "Colibri runs models and does not train them",
    "train with colbert-ai or PyLate and export the checkpoint: colibri export FOLDER",
)
