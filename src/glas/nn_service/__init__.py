"""nn_service: the part that recognises speech, behind OpenAI's API."""
