"""The shapes of the JSON that the API answers with: what api.shapes builds and what OpenAPI documents."""
