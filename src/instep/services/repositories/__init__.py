"""What the use cases ask of each aggregate's rows, as protocols; `services.ports` puts them together in a transaction."""
