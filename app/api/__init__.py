"""HTTP: one thin module per resource (parse, call, answer); schemas beside them."""
