"""SQLite: writing, reading, and finding calls again."""
