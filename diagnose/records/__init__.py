"""The schema of what is written and printed, a class for each artefact."""
