"""The part web: serves the web pages, and the API of nn_service, at one address. Only this part needs a public port."""
