"""What goes out: masks, tables and pictures, from plain arrays."""
