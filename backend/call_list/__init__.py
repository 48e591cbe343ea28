"""Calling everybody on a list, a call for each line of a CSV file."""
