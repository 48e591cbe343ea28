"""How silent it is when providers break."""
