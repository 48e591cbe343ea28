"""Understanding and answering by rules: what the offline model thinks with, and the practice callees too."""
