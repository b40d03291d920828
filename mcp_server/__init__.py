"""The bus as tools for language models: the same tools over stdio (one session) and streamable HTTP (mounted by `api`)."""
