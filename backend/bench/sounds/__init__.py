"""The sounds that the benchmarks play: voices, noises, rooms, pickups."""
