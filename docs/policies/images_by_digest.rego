# Images by digest only: a tag can be another image tomorrow.
package main

import rego.v1

deny contains msg if {
	some step in input.steps
	step.action.type == "CreateContainer"
	not contains(step.action.spec.image, "@sha256:")
	msg := sprintf("%s on %s has an image without a digest: %s", [step.action.container, step.endpoint, step.action.spec.image])
}
