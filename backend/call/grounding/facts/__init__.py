"""What of a text can be checked: numbers, days, times, durations, prices, codes, addresses and names. Pure."""
