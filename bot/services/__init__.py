"""The use cases, without Telegram: read a photo, correct it, consent, retrain, promote, forget."""
