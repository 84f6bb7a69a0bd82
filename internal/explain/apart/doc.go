// SPDX-License-Identifier: Apache-2.0

// Package apart has a child process look at another process: at its root directories, at
// files as it finds them, at sockets. Whoever owns what is looked at may let the look wait
// for ever, in a way that not even SIGKILL ends, as a filesystem in user space does that
// does not answer. A program with such a thread in it cannot end; so it is the child that
// looks, and nobody waits for the child.
//
// The child is this program, executed again with the command [Command]. It is in a session
// of its own, without a terminal and with no descriptor but two pipes, so that it keeps
// nobody waiting who reads the output of its parent. It is killed once its parent has its
// answer, or no more time, or has ended; if it waits for something then, it ends with that.
//
// It is asked in one JSON object (a [Question]), and answers in lines of one each (an
// [Answer]) as it finds something: what came until the time was over is of use.
package apart

// Command is the name of the command that has this program answer (Serve).
const Command = "look-apart"
