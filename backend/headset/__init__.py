"""Operators at their browsers: listening in on a call, and talking in it."""
