"""One module per feature: each reads the update, calls one service, renders the reply."""
