"""What the callee's words mean for the conversation. Pure."""
