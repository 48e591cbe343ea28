"""What came of a call, told with its evidence."""
