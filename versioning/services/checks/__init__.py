"""What the providers list: asked, read, and turned into findings."""
