"""What a study reports: severity, spectra, and the page that shows them."""
