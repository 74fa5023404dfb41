"""The service: HTTP, keys, storage, the trainer, pages; knows the core, is unknown to it."""
