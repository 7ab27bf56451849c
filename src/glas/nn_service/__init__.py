"""The part nn_service: recognises speech for callers of an HTTP API that is compatible with OpenAI's API."""
