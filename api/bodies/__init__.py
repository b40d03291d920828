"""What the API takes: request bodies and parameters, with descriptions and examples for OpenAPI, one file per concept.

Types only; what a value may be is the bus's business. Unknown fields are ignored, as the contract has it.
"""
