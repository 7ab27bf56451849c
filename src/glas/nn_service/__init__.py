"""nn_service: the part that recognises speech; its HTTP API is that of OpenAI."""
