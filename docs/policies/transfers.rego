# No transfer starts to these endpoints, and no running transfer is cut off.
package main

import rego.v1

closed := {"archive1", "archive2"}

deny contains msg if {
	some step in input.steps
	step.action.type == "StartTransfer"
	step.action.destination.endpoint in closed
	msg := sprintf("transfer %s writes to %s", [step.action.transfer, step.action.destination.endpoint])
}

deny contains msg if {
	some change in input.changes
	change.held == ""
	some cut in change.cuts
	msg := sprintf("%s %s on %s would cut off transfer %s", [change.mark, change.name, change.endpoint, cut.transfer])
}

# Known but not forbidden: `warn` is shown and denies nothing.
warn contains msg if {
	some change in input.changes
	some power in change.powers
	power.over_host
	msg := sprintf("%s on %s is given %s %s", [change.name, change.endpoint, power.label, power.value])
}
