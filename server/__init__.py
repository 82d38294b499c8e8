"""The Flask API and the page over the same code as the device's command line."""
