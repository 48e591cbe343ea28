"""What stands behind a setting: how it may be written, and what it means for the agent."""
