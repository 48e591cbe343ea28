"""What the product promises of a call, measured on this machine, between vendors whose delays are fixed and known."""
