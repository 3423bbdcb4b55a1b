"""Is the metric sound, and is the set-up: rules with ids, and the findings that they yield."""
