// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// link is the target of a link or a picture.
	link = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	// code is what stands in backquotes: no link is meant in there.
	code = regexp.MustCompile("`[^`\n]*`")
	// heading is a line that can be linked.
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.*)$`)
	// unheard is what anchors leave out of headings.
	unheard = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// prose returns a page without its fenced blocks.
func prose(text string) string {
	var b strings.Builder
	for i, part := range regexp.MustCompile("(?m)^ *```.*$").Split(text, -1) {
		if i%2 == 0 {
			b.WriteString(part)
		}
	}
	return b.String()
}

// anchors returns what the headings of a page are linked by, as forges make them.
func anchors(text string) map[string]bool {
	out := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(prose(text), -1) {
		title := link.ReplaceAllString(strings.ReplaceAll(m[1], "`", ""), "")
		title = strings.ToLower(strings.TrimSpace(unheard.ReplaceAllString(title, "")))
		out[strings.ReplaceAll(title, " ", "-")] = true
	}
	return out
}

// deadLink returns what is wrong with a link from page, "" if nothing is. Links to the outside are not
// followed: what another server has is no property of a commit.
func deadLink(t *testing.T, page, target string) string {
	t.Helper()
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return ""
	}
	path, anchor, _ := strings.Cut(target, "#")
	file := page
	if path != "" {
		file = filepath.Join(filepath.Dir(page), path)
	}
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return "there is no such file"
	case anchor == "" || info.IsDir():
		return ""
	case !anchors(string(read(t, file)))[anchor]:
		return "it has no such heading"
	}
	return ""
}

// TestLinks: every link between pages leads to a file that is there, and to a heading of it.
func TestLinks(t *testing.T) {
	found := 0
	for _, page := range files(t, "*.md") {
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(prose(string(read(t, page))), ""), -1) {
			found++
			if wrong := deadLink(t, page, m[1]); wrong != "" {
				t.Errorf("%s: %s: %s", page, m[1], wrong)
			}
		}
	}
	if found < 200 {
		t.Errorf("only %d links were found", found)
	}
}

// TestDeadLinkNotices: a link that leads nowhere is noticed.
func TestDeadLinkNotices(t *testing.T) {
	for _, target := range []string{"none.md", "rules.md#none", "#none", "../docs/none"} {
		if deadLink(t, "README.md", target) == "" {
			t.Errorf("%s: nothing is wrong with it", target)
		}
	}
}

// TestMapHasEveryPage: docs/README.md links every page beside it.
func TestMapHasEveryPage(t *testing.T) {
	text := string(read(t, "README.md"))
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if page != "README.md" && !strings.Contains(text, "]("+page+")") {
			t.Errorf("%s is not in README.md", page)
		}
	}
}
