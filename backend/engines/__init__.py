"""Speech on this machine: the models, the processes that hold them, and the queue in front of those."""
