"""Who may sit at the dashboard: the password, the cookie of who is signed in, and the door that asks for it."""
