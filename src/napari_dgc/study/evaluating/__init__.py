"""A study's maps beside labels that somebody has drawn."""
