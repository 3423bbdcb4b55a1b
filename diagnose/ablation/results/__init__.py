"""Results that are there: anybody's table of scores -> its design -> effects -> a verdict."""
