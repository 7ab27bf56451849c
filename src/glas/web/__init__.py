"""web: the pages, the API of nn_service at the same address, and the only public port."""
