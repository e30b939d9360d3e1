"""`python -m dtn_agent`: print the host's facts as JSON."""

import json
import sys

from dtn_agent.probe import probe
from dtn_agent.protocol import facts_document

sys.stdout.write(json.dumps(facts_document(probe()), indent=2, sort_keys=True) + "\n")
