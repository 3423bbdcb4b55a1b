"""Runs that are not there yet: anybody's command -> its runs, arm by arm and seed by seed -> a table of scores."""
