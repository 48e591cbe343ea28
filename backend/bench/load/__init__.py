"""How many calls one core holds."""
