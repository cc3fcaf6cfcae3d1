"""Reads documents, one JSON string a line, and answers each with what PyYAML dumps of it, a JSON
string a line, or null if it refuses. Documents come first, answers go to the second path."""
import json
import sys

import yaml

with open(sys.argv[1], encoding="utf-8") as documents, open(sys.argv[2], "w") as answers:
    for line in documents:
        try:
            answer = yaml.dump(yaml.safe_load(json.loads(line)))
        except Exception:  # whatever it refuses with
            answer = None
        answers.write(json.dumps(answer) + "\n")
