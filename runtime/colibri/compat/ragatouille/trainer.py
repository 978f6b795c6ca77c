"""Training, which Colibri does not do."""

from colibri.compat.not_here import absent

RAGTrainer = absent(
    "RAGTrainer",
    "Colibri runs models and does not train them",
    "train with RAGatouille or PyLate and export the checkpoint: colibri export FOLDER",
)
