// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"slices"
	"time"
)

const (
	// maxDomains is about how many domains a scan describes; state and depth of tasks
	// in others are known all the same. Those that rules are about may be as many
	// again.
	maxDomains = 32768
	// sharedDomains is how many of them are shared out: the others are for those
	// who come, of whom the scan before knew nothing.
	sharedDomains = maxDomains * 3 / 4
	// usualDomains is what each account may have, until it is known who needs more,
	// and leastDomains what each still gets where all is full.
	usualDomains = 8192
	leastDomains = 64
	// maxViewTime is about how long a scan may look for what is granted to tasks by
	// where their root directories are: enough for 40 000 tasks in domains, whose root
	// directory is that of the host. It is also the share of each account while there
	// is enough for all, and as long again for those that rules are about.
	maxViewTime = 40 * time.Millisecond
)

// share is what each account gets of what a scan can read. One that needs less
// leaves the rest to the others; nobody's need takes anything from those who
// need no more than their share.
type share struct {
	domains  uint32
	viewTime time.Duration
	// mostViewTime is maxViewTime, or more for whoever has the time.
	mostViewTime time.Duration
	// need is how many domains each account had in this scan, described or not.
	need map[account]int
	// left are the keys of domains that were not described.
	left []uint64
}

// newShare returns the shares of the first scan. ruleTime is how long one may read
// rules: whoever has more time than is usual has it for views, too.
func newShare(ruleTime time.Duration) share {
	most := max(ruleTime, maxViewTime)
	return share{domains: usualDomains, viewTime: most, mostViewTime: most, need: map[account]int{}}
}

// beginBudgets sets the shares of the scan that begins.
func (s *Source) beginBudgets() {
	c, h := s.control, &s.share
	c.MaxDomains = [2]uint32{h.domains, max(h.domains, usualDomains)}
	c.MaxViewNs, c.AllViewNs = uint64(h.viewTime), uint64(h.mostViewTime*3/2)
	c.ViewNs, c.ViewAccounts = [2]uint64{}, 0
	if pids := s.favour.Swap(nil); pids != nil && !slices.Equal(*pids, s.favoured) {
		s.favoured = *pids
		c.favour(*pids)
	}
}

// endBudgets works out the shares of the next scan, and returns how many domains
// of tasks were not described in this one.
func (s *Source) endBudgets(groups []group) int {
	h := &s.share
	h.adapt(s.control)
	h.left = h.left[:0]
	p := &s.pass
	for _, r := range p.tasksOf(groups) {
		if r.Domain == 0 {
			continue
		}
		if _, ok := p.domains[r.Domain]; !ok {
			h.left = append(h.left, r.Domain)
			h.need[account{r.Account, s.control.isFavoured(r.Pid)}] += int(r.Depth)
		}
	}
	if len(h.left) == 0 && h.domains == usualDomains {
		h.left = nil
		return 0
	}
	for i, holder := range s.holders {
		if holder.num > 0 {
			h.need[holder.account] += int(p.described[i].Depth)
		}
	}
	needs, sum := make([]int, 0, len(h.need)), 0
	for _, n := range h.need {
		needs = append(needs, n)
		sum += n
	}
	clear(h.need)
	h.domains = usualDomains
	if sum > sharedDomains || slices.ContainsFunc(needs, func(n int) bool { return n > usualDomains }) {
		h.domains = uint32(fairShare(needs, sharedDomains))
	}
	slices.Sort(h.left)
	return len(slices.Compact(h.left))
}

// adapt sets what the next scan may spend on views, by what this one spent.
func (h *share) adapt(c *control) {
	switch spent := time.Duration(max(c.ViewNs[0], c.ViewNs[1])); {
	case spent > h.mostViewTime:
		h.viewTime = h.mostViewTime / time.Duration(max(c.ViewAccounts, 1))
	case spent < h.mostViewTime/2:
		h.viewTime = min(h.viewTime*2, h.mostViewTime)
	}
}

// fairShare returns the most that each can have of what there is: whoever needs
// less has what it needs, and all others have as much as each other.
func fairShare(needs []int, all int) int {
	slices.Sort(needs)
	rest := all
	for i, n := range needs {
		if each := rest / (len(needs) - i); n > each {
			return each
		}
		rest -= n
	}
	return all
}
