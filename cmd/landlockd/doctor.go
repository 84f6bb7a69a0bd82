// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
)

func (s *settings) doctor(w io.Writer) error {
	_, err := fmt.Fprintln(w, "not yet")
	return err
}
