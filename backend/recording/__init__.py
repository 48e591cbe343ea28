"""Recording calls: written as they happen, kept for some days."""
