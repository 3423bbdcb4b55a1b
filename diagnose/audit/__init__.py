"""Is the metric sound, is the set-up: rules with ids, and the findings that they yield."""
