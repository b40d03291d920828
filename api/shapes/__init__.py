"""From the bus's values to the contract's JSON, with what our bus has on top: one file per concept."""
