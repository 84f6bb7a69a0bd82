// SPDX-License-Identifier: Apache-2.0

package policy

// Key is a key of a match by which it is decided whether a process is meant. A new one
// is a constant here with its name, a case of [Match.keyLevel] and of [Key.doubt], and
// its row in docs/rules.md.
type Key uint8

// Those up to KeyCmdline have patterns. Keys are asked in this order, so that the
// dearest comes last, but KeyUID and KeyMain before all.
const (
	KeyUnit Key = iota
	KeySlice
	KeyContainer
	KeyNamespace
	KeyPod
	KeyCgroup
	KeyExe
	KeyAncestorExe
	KeyComm
	KeyCmdline
	KeyUID
	KeyMain
	numKeys

	numTexts    = KeyCgroup + 1
	numPatterns = KeyCmdline + 1
)

// keys are the names, by value. It is never written.
var keys = [numKeys]string{
	"unit", "slice", "container", "namespace", "pod", "cgroup", "exe", "ancestor_exe", "comm",
	"cmdline", "uid", "main",
}

func (k Key) String() string { return keys[k%numKeys] }

// where is where processes are that have what a key is about.
func (k Key) where() place {
	return [numKeys]place{KeyContainer: inContainer, KeyNamespace: inPod, KeyPod: inPod}[k%numKeys]
}
