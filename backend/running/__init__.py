"""Starting and stopping the two processes, finding what is wrong with them, and what a terminal shows."""
