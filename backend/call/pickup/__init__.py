"""Who picked up: a person, a machine, a menu, the network. Pure."""
