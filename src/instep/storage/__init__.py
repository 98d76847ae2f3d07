"""SQL: implements the ports of the services."""
