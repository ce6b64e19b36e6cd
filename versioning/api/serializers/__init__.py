"""What goes in and out, by noun. They read and show; nothing here writes."""
