"""The schema of everything that is written or printed, one class per artefact."""
