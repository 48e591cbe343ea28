"""The calls of this server: placed, received, run, ordered about, closed."""
