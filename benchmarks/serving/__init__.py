"""How quickly lists come: in process, over HTTP, and beside Gorse."""
