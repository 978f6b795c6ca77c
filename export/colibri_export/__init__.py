"""From a checkpoint to an artefact folder: `colibri export`. Needs the extra [export]; no torch."""
