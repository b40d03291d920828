"""One example of each answer, for OpenAPI; tests check them against the shapes."""
