"""Calls in real time between loopback vendors: how quick they are, how they behave, how they obey."""
