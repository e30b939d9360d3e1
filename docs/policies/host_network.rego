# No container on the host's network, and none that is privileged.
package main

import rego.v1

deny contains msg if {
	some step in input.steps
	step.action.type == "CreateContainer"
	step.action.spec.network == "host"
	msg := sprintf("%s on %s is on the host's network", [step.action.container, step.endpoint])
}

deny contains msg if {
	some step in input.steps
	step.action.type == "CreateContainer"
	step.action.spec.privileged
	msg := sprintf("%s on %s is privileged", [step.action.container, step.endpoint])
}
