"""What an evaluation shows and writes: console, summary.md, metrics.json, report.html."""
