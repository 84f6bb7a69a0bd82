// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/plural"
)

// requirement is one thing that can be asked of those tasks of a process that are in a
// domain.
type requirement struct {
	// reason is why a process violates that does not meet it.
	reason Reason
	// met reports whether it is met, or not asked for.
	met func(*Expect, *condition, *demand) access.Answer
	// words returns why not, or why that is not known; empty if another one says it.
	words func(*Expect, *condition, *demand, access.Answer) string
}

// requirements stand in the order of their reasons. It is never written.
var requirements = [...]requirement{
	{RestrictsNothing, (*Expect).effective, (*Expect).effectiveWords},
	{TooShallow, (*Expect).deepEnough, (*Expect).shallowWords},
	{TooDeep, (*Expect).notTooDeep, (*Expect).deepWords},
	{RightNotRestricted, (*Expect).restricts, (*Expect).restrictsWords},
	{WithinReach, (*Expect).outOfReach, (*Expect).reachWords},
	{OutsideWorker, (*Expect).noWorkerOutside, (*Expect).workerWords},
}

func (x *Expect) effective(c *condition, d *demand) access.Answer {
	answer := c.sandbox.Effective()
	// Where no rules are read, only of what ended is it a doubt.
	unread := c.sandbox.Doubt.Has(domainid.RulesUnread)
	if x.Ineffective || answer == access.Unknown && !d.rulesRead && !unread {
		return access.Yes
	}
	return answer
}

func (x *Expect) effectiveWords(c *condition, d *demand, answer access.Answer) string {
	switch {
	case answer == access.No:
		return "it is sandboxed, but restricts nothing: no right is restricted in every task"
	case x.restricts(c, d) == access.Unknown:
		return ""
	default:
		return "it is not known whether it restricts anything: " + doubtsOf(c)
	}
}

// doubtsOf returns why it is not known what a sandbox restricts.
func doubtsOf(c *condition) string { return strings.Join(c.sandbox.Doubt.Sentences(), ", ") }

func (x *Expect) deepEnough(c *condition, _ *demand) access.Answer {
	return access.Between(int(c.sandbox.Depth) >= x.MinDepth, int(c.sandbox.MostDepth) >= x.MinDepth)
}

func (x *Expect) shallowWords(c *condition, _ *demand, answer access.Answer) string {
	const format = "its shallowest task is at depth %d%s, want at least %d%s"
	if answer == access.No {
		return fmt.Sprintf(format, c.sandbox.MostDepth, "", x.MinDepth, "")
	}
	return fmt.Sprintf(format, c.sandbox.Depth, " or deeper", x.MinDepth,
		": not all domains that it is nested in are known")
}

func (x *Expect) notTooDeep(c *condition, _ *demand) access.Answer {
	if x.MaxDepth == 0 {
		return access.Yes
	}
	may := int(c.sandbox.Deepest) <= x.MaxDepth
	return access.Between(may && c.sandbox.Exact, may)
}

func (x *Expect) deepWords(c *condition, _ *demand, answer access.Answer) string {
	deeper, because := "", ""
	if !c.sandbox.Exact {
		deeper = " or deeper"
	}
	if answer == access.Unknown {
		because = ": not all domains that its tasks are in are known"
	}
	return fmt.Sprintf("its deepest task is at depth %d%s, want at most %d%s",
		c.sandbox.Deepest, deeper, x.MaxDepth, because)
}

func (x *Expect) restricts(c *condition, d *demand) access.Answer {
	may := len(d.missing) == 0 && c.sandbox.Restricts.May.Has(d.asked)
	return access.Between(may && c.sandbox.Restricts.Sure.Has(d.asked), may)
}

// maxNames is how many rights are named.
const maxNames = 8

func (x *Expect) restrictsWords(c *condition, d *demand, answer access.Answer) string {
	switch restricts := &c.sandbox.Restricts; {
	case answer == access.Unknown:
		return "it is not known whether it restricts " +
			plural.First(access.Names(d.asked.Without(restricts.Sure)), maxNames) + ": " + doubtsOf(c)
	case len(d.missing) > 0:
		return "this kernel lacks " + strings.Join(d.missing, ", ")
	default:
		return "not restricted in every task: " +
			rightsLacked(&c.sandbox, d.asked.Without(restricts.May))
	}
}

// noWorkerOutside reports whether what is asked for holds for workers, too.
func (x *Expect) noWorkerOutside(c *condition, d *demand) access.Answer {
	switch {
	case d.asked.Empty() && len(d.assets) == 0 || x.OutsideWorkers == OutsideAllowed || c.outside == access.No:
		return access.Yes
	case x.OutsideWorkers == OutsideViolates && c.outside == access.Yes:
		return access.No
	default:
		return access.Unknown
	}
}

func (x *Expect) workerWords(c *condition, _ *demand, answer access.Answer) string {
	// worker is what people call scan.Worker.
	const worker = "thread that the kernel made for it (io_uring, vhost)"
	words := "it has a " + worker + " that may act outside of its domains"
	if c.outside != access.Yes {
		words = "it is not known whether a " + worker + " may act outside of its domains"
	}
	if answer == access.No {
		return words
	}
	return "what it restricts may not hold: " + words
}

// rightsLacked names rights, and apart those that every task handles but that rules
// grant everywhere to some task.
func rightsLacked(c *domainid.Sandbox, lacked access.Rights) string {
	handled := c.Handles.Sure
	parts := access.Names(lacked.Without(handled))
	if names := access.Names(lacked.Intersect(handled)); len(names) > 0 {
		parts = append(parts, strings.Join(names, ", ")+" (handled, but granted everywhere in some task)")
	}
	return strings.Join(parts, ", ")
}
