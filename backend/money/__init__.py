"""What calls cost: what is counted while they run, the price table, and what follows from the two."""
