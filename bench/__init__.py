"""Every figure that the documents quote, as a ratio measured in one run: `make bench`."""
