"""What a user can ask for: frozen models, and the documents that hold them."""
