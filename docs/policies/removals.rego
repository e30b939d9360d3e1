# Not more than two sessions go in one plan; a session counts once, on however many endpoints it is.
package main

import rego.v1

max_removals := 2

removed contains change.name if {
	some change in input.changes
	change.kind == "session"
	change.mark == "destroy"
}

deny contains msg if {
	count(removed) > max_removals
	msg := sprintf("%d sessions would be removed, at most %d may be: %s", [count(removed), max_removals, concat(", ", sort(removed))])
}
