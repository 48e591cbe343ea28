"""What the agent may say: only what the brief, the callee and the tools bear out. Pure."""
