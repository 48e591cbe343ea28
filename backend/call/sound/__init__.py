"""The sound of a call, both ways. Pure."""
