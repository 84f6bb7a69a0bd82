// SPDX-License-Identifier: Apache-2.0

package inforce

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/policy"
)

// advise adds to an error of loading what to do where files are out of a confined daemon's
// reach: in a directory that came after its start, such as the new end of a link.
func advise(err error) error {
	load, ok := errors.AsType[*policy.LoadError](err)
	if !ok {
		if advice := outside(err); advice != "" {
			return fmt.Errorf("%w: %s", err, advice)
		}
		return err
	}
	for i := range load.Problems {
		if advice := outside(load.Problems[i].Cause); advice != "" {
			load.Problems[i].Message += ": " + advice
		}
	}
	return err
}

// outside returns what to do if an error is that a Landlock domain does not let a file be
// read; empty otherwise. access(2) asks for the rights of users alone.
func outside(err error) string {
	denied, ok := errors.AsType[*fs.PathError](err)
	if !ok || !errors.Is(denied, fs.ErrPermission) || unix.Access(denied.Path, unix.R_OK) != nil {
		return ""
	}
	place := denied.Path
	if end, err := filepath.EvalSymlinks(place); err == nil {
		place = end
	}
	return fmt.Sprintf("the serving stage may read what is below the directories that its files "+
		"were in when it started, and %s is not: restart landlockd, or have all that links lead to "+
		"below the directory of the configuration", place)
}
