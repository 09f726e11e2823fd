"""What is asked about which images: suites, protocols, queries, and the rows of prompts."""
