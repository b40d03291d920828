"""What this server says of itself to whoever finds it: documents for agents, pages for people."""
