"""What the venue speaks: the one source of its schema, for the server, the clients and the OpenAPI file."""
