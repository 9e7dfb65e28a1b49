"""How the tables came to be what they are, one step a file; run by `storage.migration.migrate`."""
