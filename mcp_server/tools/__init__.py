"""The tools, one file per concept of the bus."""
