// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	if os.Getenv(handoffChildEnv) != "" {
		os.Exit(handoffChild(os.Stdout))
	}
	os.Exit(m.Run())
}
