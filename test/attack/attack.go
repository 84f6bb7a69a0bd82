// SPDX-License-Identifier: Apache-2.0

// Package attack builds the programs in C by which tests do what a user without
// privilege can do: make as many processes, domains, rules and root directories as he
// may, and pass for another program, or be hard to know, in each way that he has; and what
// root in a privileged container can do.
package attack

import (
	_ "embed" // the programs
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed program/crowd.c
var crowd []byte

//go:embed program/forger.c
var forger []byte

// Crowd compiles the program that makes many of something into dir, which every user
// must be able to search (testenv.PublicDir), and returns its path.
// program/crowd.c says how it is called.
func Crowd(dir string) (string, error) { return build(dir, "crowd", crowd) }

// Forger compiles the program that passes for another one, as Crowd does.
// program/forger.c says how it is called.
func Forger(dir string) (string, error) { return build(dir, "forger", forger) }

//go:embed program/holder.c
var holder []byte

// Holder compiles the program that makes a process whose command line nobody can read, as
// Crowd does. program/holder.c says how it is called.
func Holder(dir string) (string, error) { return build(dir, "holder", holder) }

//go:embed program/hurry.c
var hurry []byte

// Hurry compiles the program that does much in a short time, as Crowd does.
// program/hurry.c says how it is called.
func Hurry(dir string) (string, error) { return build(dir, "hurry", hurry) }

//go:embed program/snare.c
var snare []byte

// Snare compiles the program that makes a process of which a look at its files never ends, as
// Crowd does. It takes root. program/snare.c says how it is called.
func Snare(dir string) (string, error) { return build(dir, "snare", snare) }

//go:embed program/swarm.c
var swarm []byte

// Swarm compiles the program that makes a storm of processes that end, as Crowd does.
// program/swarm.c says how it is called.
func Swarm(dir string) (string, error) { return build(dir, "swarm", swarm) }

// Forgeries are the ways of Forger to pass for another program, as it is called for
// them.
func Forgeries() []string {
	return []string{"setmm", "sharedmm", "bind", "namespace", "descriptor", "detached", "overlay", "binfmt"}
}

// Disguises are the ways of Forger to be hard to know.
func Disguises() []string {
	return []string{
		"long", "longer", "deleted", "memory", "script", "comm", "title", "forks", "execs", "leader", "zombies",
		"vfork", "stopped", "pids", "users", "guarded", "orphan", "adopted", "environment",
	}
}

// fuse is what programs include that serve a file system.
//
//go:embed program/fuse.h
var fuse []byte

func build(dir, name string, source []byte) (string, error) {
	file, program := filepath.Join(dir, name+".c"), filepath.Join(dir, name)
	err := errors.Join(os.WriteFile(file, source, 0o600),
		os.WriteFile(filepath.Join(dir, "fuse.h"), fuse, 0o600))
	if err != nil {
		return "", fmt.Errorf("build %s: %w", name, err)
	}
	// Static, so that a process costs little and needs no library at any path.
	out, err := exec.Command("cc", "-O1", "-static", "-pthread", "-Wall", "-Wextra", "-Werror",
		"-o", program, file).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %s (a C compiler is needed): %w\n%s", name, err, out)
	}
	if err := os.Chmod(program, 0o755); err != nil {
		return "", fmt.Errorf("build %s: %w", name, err)
	}
	return program, nil
}
