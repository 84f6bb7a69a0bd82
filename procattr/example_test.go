// SPDX-License-Identifier: Apache-2.0

package procattr_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/landlockd/landlockd/procattr"
	"github.com/landlockd/landlockd/scan"
)

// The form in which this kernel has the attribute, and how many processes it shows.
func Example() {
	source, err := procattr.Open(procattr.Options{})
	if missing := (*scan.Error)(nil); errors.As(err, &missing) {
		log.Fatalf("%s. %s", missing.Missing, missing.Hint) // as on every mainline kernel
	}
	defer source.Close()
	snap, err := source.Scan(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(source.Form(), len(snap.Processes))
}
