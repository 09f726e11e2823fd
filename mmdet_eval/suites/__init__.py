"""What is asked about which images: suites, protocols, queries and prompt rows."""
