"""What is installed and missing, and what node, deployment and feed say: one finding a line, with what to do."""
