"""The faces of digitbot (Telegram, web, command line) and its use cases."""
