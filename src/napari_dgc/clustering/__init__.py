"""Deep Global Clustering: the only room that knows torch."""
