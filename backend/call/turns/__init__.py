"""Whose turn it is to speak. Pure: the floor, its layers, and what they keep in mind."""
