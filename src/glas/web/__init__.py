"""web: the pages, the API of nn_service behind them, and the only public port."""
