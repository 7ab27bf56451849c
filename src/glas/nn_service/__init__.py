"""The part nn_service: recognises speech, and offers this through an HTTP API that is compatible with OpenAI's API."""
