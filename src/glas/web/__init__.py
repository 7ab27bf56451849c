"""web: the part of Glas that serves the web pages and the API of nn_service at one address.

Of the parts with an HTTP interface, only this part needs a public port.
"""
