// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// patch is one commit of a series, as git format-patch writes it.
type patch struct {
	name string
	// diff is what it changes, without the message.
	diff []byte
}

// readSeries returns the patches of a directory in their order, without the cover letter.
func readSeries(dir string) ([]patch, error) {
	files, err := filepath.Glob(filepath.Join(dir, "[0-9][0-9][0-9][0-9]-*.patch"))
	if err != nil {
		return nil, err
	}
	var series []patch
	for _, file := range files {
		name := filepath.Base(file)
		if strings.HasPrefix(name, "0000-") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		at := bytes.Index(text, []byte("\ndiff --git "))
		if at < 0 {
			return nil, fmt.Errorf("%s changes nothing", file)
		}
		// Behind the last line "-- " is the version of git.
		diff := text[at+1:]
		if end := bytes.LastIndex(diff, []byte("\n-- \n")); end >= 0 {
			diff = diff[:end+1]
		}
		series = append(series, patch{name, diff})
	}
	if len(series) == 0 {
		return nil, fmt.Errorf("no patch in %s", dir)
	}
	return series, nil
}

// changed matches the lines that begin the part of a diff for one file.
var changed = regexp.MustCompile(`(?m)^diff --git a/(\S+) `)

// below reports whether the patch changes a file in one of the directories.
func (p patch) below(dirs ...string) bool {
	for _, m := range changed.FindAllSubmatch(p.diff, -1) {
		for _, d := range dirs {
			if strings.HasPrefix(string(m[1]), d+"/") {
				return true
			}
		}
	}
	return false
}

// selftests is where the kernel has tests of itself.
const selftests = "tools/testing/selftests"

// only returns the patches that change a file in one of the directories.
func only(series []patch, dirs ...string) []patch {
	var some []patch
	for _, p := range series {
		if p.below(dirs...) {
			some = append(some, p)
		}
	}
	return some
}
