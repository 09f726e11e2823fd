"""What an evaluation prints and writes: console, summary.md, metrics.json, report.html."""
