// SPDX-License-Identifier: Apache-2.0

package main

// nested are a service with several sandboxes around one process, and one whose
// process starts another and stays with it.
func nested() []service {
	const agent, tool = programs + "agent", programs + "tool"
	return []service{
		{unit: "n-deep.service", processes: []placed{{exe: programs + "deep", depth: "3"}}},
		{
			unit: "n-agent.service", start: []string{agent, "-c", tool + " infinity; exit 1"},
			processes: []placed{{exe: agent}, {exe: tool}},
		},
	}
}
