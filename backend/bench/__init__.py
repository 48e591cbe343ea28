"""How fast the product answers on this machine: real calls between vendors whose delays are fixed and known."""
